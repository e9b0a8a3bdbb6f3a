"""How often ``gradclinic.Convergence`` is right, on trainings whose end is known.

python benchmarks/convergence.py --seeds 20
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from tests.workflows.convergence.families import KNOWN, verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    print(f"{'training':30} {'is':12} {'right':>7}  called converged  otherwise called")
    right = total = 0
    for name, make, expected, steps in KNOWN:
        seen = [verdicts(make, seed, steps) for seed in range(seeds)]
        ends = Counter(each[-1].state for each in seen)
        early = sum(any(verdict.state == "converged" for verdict in each) for each in seen)
        right, total = right + ends[expected], total + seeds
        others = ", ".join(f"{state} {count}" for state, count in ends.items() if state != expected)
        print(f"{name:30} {expected:12} {ends[expected]:3}/{seeds:3}  {early:16}  {others}", flush=True)
    print(f"{'all':43} {right:3}/{total:3}")


if __name__ == "__main__":
    main()
