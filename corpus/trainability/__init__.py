"""Set-ups that train and set-ups that do not, made from a seed: what foresight is calibrated and tested on.

Families are fitted on or held back as wholes, so that the figures say how well foresight does on kinds of network
that it has not seen.
"""
