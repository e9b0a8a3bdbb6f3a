"""A gradient through fifty random matrices: three scales of the weights."""

import numpy as np

rng = np.random.default_rng(0)
width, depth = 200, 50
curves = {}
for sigma in (0.8, 1.0, 1.25):
    gradient = rng.normal(size=width)
    norms = [np.linalg.norm(gradient)]
    for _ in range(depth):
        jacobian = rng.normal(0, sigma / width**0.5, (width, width))  # of a linear layer: its weights
        gradient = jacobian.T @ gradient  # one layer back
        norms.append(np.linalg.norm(gradient))
    curves[sigma] = np.log10(norms / norms[0])
    print(f"σ_w = {sigma:4}: {curves[sigma][-1]:+.2f} decades; foretold {depth * np.log10(sigma):+.2f}")
