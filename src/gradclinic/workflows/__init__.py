"""The public verbs, one file each, and the pieces that they share: the only place that joins stages.

This file imports nothing: the recording half runs inside the user's process and the launching half must start fast.
"""
