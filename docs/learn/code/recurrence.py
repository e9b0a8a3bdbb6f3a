"""The same matrix a hundred times: what a recurrent network does to the gradient on its way back through time."""

import numpy as np

rng = np.random.default_rng(0)
width, steps = 100, 100
weights = rng.normal(size=(width, width))
weights /= np.abs(np.linalg.eigvals(weights)).max()  # spectral radius 1
curves = {}
for radius in (0.9, 1.0, 1.1):
    gradient = rng.normal(size=width)
    norms = [np.linalg.norm(gradient)]
    for _ in range(steps):
        gradient = radius * weights.T @ gradient  # one time step back
        norms.append(np.linalg.norm(gradient))
    curves[radius] = np.log10(norms / norms[0])
    print(f"radius {radius}: {curves[radius][-1]:+.2f} decades; radius^100 is {steps * np.log10(radius):+.2f}")
print()
for bias in (0, 1, 3):
    gate = 1 / (1 + np.exp(-bias))
    print(f"LSTM, forget bias {bias}: gate {gate:.3f}, {100 * np.log10(gate):+6.1f} decades in 100 steps")
