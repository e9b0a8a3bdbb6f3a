"""The numbers in the answers: python docs/learn/code/exercises.py CHAPTER."""

import sys
from math import ceil, log, log10, pi, tanh

if sys.argv[1] == "1":
    print(f"1. 0.9^n = 1/1000 at n = {log(1000) / -log(0.9):.1f}")
    for start in (0.0, 1.0):
        h, product = start, 1.0
        for _ in range(10):
            h = tanh(h)
            product *= 1 - h * h
        print(f"2. ten times tanh, from {start:g}: slope {product:.4f}")
    print(f"3. float32 ends at 2^-149 = {2.0**-149:.1e}, after {ceil(149 * log(2) / -log(0.2247))} factors of 0.2247")
if sys.argv[1] == "2":
    print(f"1. a factor of {(1 / 3 / 2) ** 0.5:.4f}; weights times {6**0.5:.3f}")
    print(f"2. (π/(π-1))^(50/2) is {25 * log10(pi / (pi - 1)):+.1f} decades")
    gate = 0.1 ** (1 / 1000)
    print(f"3. a gate of {gate:.4f}, a bias of {log(gate / (1 - gate)):.1f}")
