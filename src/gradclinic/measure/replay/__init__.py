"""One training step, recorded call by call, and run again on copies with one thing changed.

``Tape`` records what the forward pass and the loss call; ``Replay`` runs it again on copies of every tensor it
read; a ``Change`` is the one thing that is different; ``Trial`` takes a few optimizer steps on the copies;
``find_cuts`` says where no gradient comes back, ``loss_terms`` what the loss adds up, ``read_inputs`` what the model
was given, and ``input_reach`` how far back in a sequence the loss reaches.
"""

from __future__ import annotations

from .battery import Battery, Examined
from .changes import Change, changes_for
from .cuts import Cut, find_cuts
from .distances import turned_similarity
from .inputs import read_inputs
from .likelihood import Probability, probabilities
from .margins import margin_call
from .names import words_in_script
from .pairing import Pairing, pairing
from .reach import input_reach
from .replay import Outcome, Replay
from .splits import split_batches
from .tape import Call, Leaf, Ref, Tape
from .terms import Term, loss_terms

__all__ = [
    "Battery", "Call", "Change", "Cut", "Examined", "Leaf", "Outcome", "Pairing", "Probability", "Ref", "Replay",
    "Tape", "Term", "changes_for", "find_cuts", "input_reach", "loss_terms", "margin_call", "pairing", "probabilities",
    "read_inputs", "split_batches", "turned_similarity", "words_in_script",
]  # fmt: skip
