"""What a tanh layer does to the gradient, and how deep a tanh network can be trained, without training one."""

from math import log10, sqrt

from gradclinic.lab.mean_field import correlation_depth, gradient_factor

print("σ_w²   gradient per layer   decades in 50 layers   6 depth scales")
for weight in (0.5, 1.0, 1.4, 1.76, 2.5, 4.0):
    factor = gradient_factor(weight, 0.05)  # χ, of the squared norm; σ_b² = 0.05
    decades = 50 * 0.5 * log10(factor)
    print(f"{weight:4}   {sqrt(factor):18.4f}   {decades:+20.1f}   {6 * correlation_depth(weight, 0.05):14.0f}")
