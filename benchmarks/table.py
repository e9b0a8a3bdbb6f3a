"""Prints the committed results of benchmarks/overhead.py as a table: watched over plain step."""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "overhead.json"


def main() -> None:
    answer = json.loads(RESULTS.read_text("utf-8"))
    rows = {(row["tool"], row["workload"]): row for row in answer["results"]}
    workloads = list(dict.fromkeys(workload for _, workload in rows))
    print(f"{answer['command']}; {answer['date']}, {answer['cores']} cores, torch {answer['torch']}")
    print(f"{'watched step / plain step':34}" + "".join(f"{name:>10}" for name in workloads))
    plain = [rows[("gradclinic", name)]["plain_step_ms"] for name in workloads]
    print(f"{'(plain step, ms)':34}" + "".join(f"{value:10.0f}" for value in plain))
    for tool in dict.fromkeys(tool for tool, _ in rows):
        ratios = [rows[(tool, name)]["ratio_of_sums"] for name in workloads]
        print(f"{tool:34}" + "".join(f"{ratio:9.3f}x" for ratio in ratios))
    medians = [rows[("gradclinic", name)]["ratio_of_medians"] for name in workloads]
    print(f"{'gradclinic, the median step':34}" + "".join(f"{ratio:9.3f}x" for ratio in medians))
    inside = [rows[("gradclinic", name)]["training_thread_share"] for name in workloads]
    print(f"{'gradclinic, its own sections':34}" + "".join(f"{1 + share:9.3f}x" for share in inside))


if __name__ == "__main__":
    main()
