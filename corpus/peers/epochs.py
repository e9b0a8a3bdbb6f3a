"""How the peers fare by the number of epochs that a run is cut into, over kept records of the development half.

    python -m corpus.score --half development --keep FOLDER
    python -m corpus.peers.epochs FOLDER

Each peer's number in ``PEERS`` is one at which the share of faulty scripts that it calls sick exceeds the share of the
others by most.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gradclinic.diagnose import Evidence
from gradclinic.store import read

from ..index import load
from ..rates import Rate
from ..runner import record_of
from . import PEERS
from .symptom import call

TRIED = (2, 3, 4, 5, 7, 10, 15, 20, 30)


def main() -> None:
    """Prints a line for each number and peer."""
    folder = Path(sys.argv[1])
    kept = [one for one in load() if one.half == "development" and record_of(folder, one.file).exists()]
    records = [(script, Evidence(read(record_of(folder, script.file)))) for script in kept]
    for peer in PEERS:
        for epochs in TRIED:
            calls = [(one, call(peer.rules(seen, epochs), one.kind == "faulty", one.causes)) for one, seen in records]
            found = Rate.of(answer.sick for script, answer in calls if script.kind == "faulty")
            alarms = Rate.of(answer.sick for script, answer in calls if script.kind != "faulty")
            lead = (found.share or 0.0) - (alarms.share or 0.0)
            sys.stdout.write(f"{peer.name:20} {epochs:3} epochs: {lead:.3f}  faulty {found}; others {alarms}\n")


if __name__ == "__main__":
    main()
