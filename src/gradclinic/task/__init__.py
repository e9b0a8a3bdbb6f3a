"""What is trained: model, batches, loss, optimizer, steps and metric, and how a user names it."""

from .target import Target, find_target, own_generators, seed_all
from .task import Task

__all__ = ["Target", "Task", "find_target", "own_generators", "seed_all"]
