"""One weight and one bias, no depth at all: below the limit of the learning rate, and above it."""

import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, 100)
y = 3 * x + 2 + 0.5 * rng.normal(size=100)
curves = {}


def descend(name, x, share):
    """Gradient descent on L = 1/(2N) Σ (y-ŷ)², at a share of the rate 2/λ beyond which it cannot be stable."""
    inputs = np.stack([x, np.ones(100)], 1)
    limit = 2 / np.linalg.eigvalsh(inputs.T @ inputs / 100).max()
    weights, norms = np.zeros(2), []
    for _ in range(50):
        gradient = -inputs.T @ (y - inputs @ weights) / 100  # -(1/N) Σ (y-ŷ)x and -(1/N) Σ (y-ŷ)
        norms.append(np.linalg.norm(gradient))
        weights -= share * limit * gradient
    curves[name] = norms
    w, b = weights
    print(f"{name:16} limit {limit:8.2e}, rate {share * limit:8.2e}: ‖∇‖ {norms[0]:8.2e} → {norms[-1]:8.2e}")
    print(f"{'':16} w = {w:.3g}, b = {b:.3g}")


descend("half the limit", x, 0.5)
descend("a tenth above it", x, 1.1)
descend("inputs 0 to 255", 255 * (x + 1) / 2, 0.5)
