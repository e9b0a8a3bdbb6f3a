"""One recurrent unit, fifty time steps: the cliff in its loss, and a step from its edge."""

from math import exp


def loss_and_slope(w, b=-3.0):
    """Squared error of the last state, whose target is 0.1, and its slope by w."""
    h, slope = 0.4, 0.0
    for _ in range(50):
        after = 1 / (1 + exp(-(w * h + b)))
        slope = after * (1 - after) * (h + w * slope)  # the chain rule, forward in time
        h = after
    return (h - 0.1) ** 2, 2 * (h - 0.1) * slope


low, high = 5.0, 10.0  # the edge lies between: below it the state falls to 0, above it rises to 1
for _ in range(60):
    middle = (low + high) / 2
    low, high = (middle, high) if loss_and_slope(middle)[0] < 0.3 else (low, middle)
for off in (-1e-2, -1e-6, 0, 1e-6, 1e-2):
    loss, slope = loss_and_slope(low + off)
    step = -0.01 * slope
    clipped = step * min(1, 1 / abs(slope))  # the gradient's norm is held at 1 or less
    print(f"edge {off:+6.0e}: loss {loss:5.3f}, slope {slope:9.2e}, step {step:9.2e}, clipped {clipped:9.2e}")
