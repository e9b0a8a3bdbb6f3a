"""The literature's experiments, one command each, and the networks that they are about.

May import gradclinic's public names only (import-linter checks it): what is shown here, anybody can do.
"""
