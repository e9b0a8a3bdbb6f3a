"""What is trained: model, batches, loss, optimizer, steps and metric, and how a user names it."""

from .target import Target, find_target, own_generators, seed_all
from .task import Task
from .whole import Whole, parts_of, samples_of

__all__ = ["Target", "Task", "Whole", "find_target", "own_generators", "parts_of", "samples_of", "seed_all"]
