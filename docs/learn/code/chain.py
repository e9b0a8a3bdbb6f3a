"""Ten sigmoids in a row: the slope of the output by the input, by the chain rule and by a small step."""

from math import exp


def sigmoid(z):
    return 1 / (1 + exp(-z))


def network(x):
    for _ in range(10):
        x = sigmoid(x)
    return x


x, product = 0.0, 1.0
for layer in range(1, 11):
    h = sigmoid(x)
    slope = h * (1 - h)  # the derivative of the sigmoid
    product *= slope
    print(f"layer {layer:2}: slope {slope:.4f}, product so far {product:.2e}")
    x = h

step = 1e-3
print(f"by a small step: {(network(step) - network(-step)) / (2 * step):.2e}")
print(f"at most 1/4 to the power of 10: {0.25**10:.2e}")
