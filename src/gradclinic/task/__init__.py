"""What is trained: model, batches, loss, optimizer, steps and metric, and how a user names it."""

from .target import Target, find_target
from .task import Task

__all__ = ["Target", "Task", "find_target"]
