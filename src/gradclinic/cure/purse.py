"""What a treatment may cost, in gradients of one batch, which is what a training step costs."""

from __future__ import annotations

from collections import defaultdict

#: What a treatment may cost where it is undecided, in units of what it is planned for.
UNDECIDED = 2.5


class Purse:
    """Counts what is spent, and on what."""

    @classmethod
    def of(cls, budget: float, steps: int) -> Purse:
        """Planned for ``budget`` full training runs of ``steps``; :data:`UNDECIDED` times that where need be."""
        return cls(budget * steps, UNDECIDED * budget * steps)

    def __init__(self, total: float, most: float) -> None:
        self.total = total  #: what a treatment is planned for
        self.most = most  #: and what it may cost where it is still undecided
        self.spent: dict[str, float] = defaultdict(float)

    @property
    def left(self) -> float:
        """Of the plan; negative where more was spent."""
        return self.total - sum(self.spent.values())

    def bears(self, gradients: float) -> bool:
        """Whether so many more may be spent at all."""
        return sum(self.spent.values()) + gradients <= self.most

    def spend(self, what: str, gradients: float) -> None:
        """Notes it, even where it is more than what is left."""
        self.spent[what] += gradients
