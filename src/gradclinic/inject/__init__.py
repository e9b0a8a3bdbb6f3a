"""The folder that `gradclinic run` puts on the path of the script's Python, which loads `sitecustomize` from it."""
