"""Small training scripts with and without a planted fault, and what gradclinic and its peers say of them.

``faulty/`` holds the scripts with a fault, ``fixed/`` the same scripts cured by a user's diff, ``healthy/`` others that
nothing is wrong with; ``index.json`` says what each is, ``python -m corpus.score`` runs and scores them.
"""
