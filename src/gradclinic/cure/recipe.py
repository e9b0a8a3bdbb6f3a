"""A recipe: the changes that cure a training, readable, savable, and applied by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from gradclinic.errors import UserError

from .remedy import FAMILIES, CannotApply, Remedy
from .surgery import Journal

VERSION = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One remedy with its options, which are plain data."""

    remedy: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As a recipe has it."""
        return {"remedy": self.remedy, "options": dict(self.options)} if self.options else {"remedy": self.remedy}


class Applied(tuple[nn.Module, Optimizer]):
    """``model, optimizer = applied``; :meth:`undo` takes everything back."""

    _journal: Journal

    def __new__(cls, journal: Journal) -> Applied:
        assert journal.optimizer is not None  # apply() was given one, and remedies exchange it for another
        made = super().__new__(cls, (journal.model, journal.optimizer))
        made._journal = journal
        return made

    def undo(self) -> None:
        """The model and the optimizer as they were; edited parameters get their former values."""
        self._journal.undo()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Changes in the order in which they are applied; none: leave it as it is."""

    changes: tuple[Change, ...] = ()
    target: str = ""  #: what it was made for
    note: str = ""  #: what was proven, in a sentence

    @classmethod
    def of(cls, *changes: Change, target: str = "", note: str = "") -> Recipe:
        """The changes in order of their families.

        Raises:
            UserError: a remedy is not known, or two are of one family.
        """
        ordered = sorted(changes, key=lambda change: FAMILIES.index(_remedy(change).family))
        families = [_remedy(change).family for change in ordered]
        twice = next((family for family in families if families.count(family) > 1), None)
        if twice is not None:
            both = " and ".join(c.remedy for c, f in zip(ordered, families, strict=True) if f == twice)
            raise UserError(f"a recipe has one change of each family at most: {both} are both of {twice!r}")
        return cls(tuple(ordered), target, note)

    def with_change(self, change: Change) -> Recipe:
        """One change more, in place of one of the same family."""
        family = _remedy(change).family
        kept = [old for old in self.changes if _remedy(old).family != family]
        return Recipe.of(*kept, change, target=self.target, note=self.note)

    @property
    def size(self) -> int:
        """How much of the user's design it changes: one for each change, and the sizes of the remedies."""
        return sum(1 + _remedy(change).size for change in self.changes)

    @property
    def key(self) -> str:
        """The same text for the same changes."""
        return "; ".join(f"{c.remedy} {sorted(c.options.items())}" for c in self.changes)

    def apply(self, model: nn.Module, optimizer: Optimizer, *, reversible: bool = True) -> Applied:
        """Changes ``model`` in place, and ``optimizer`` in place or for another one: go on with what comes back.

        Best called before the first step, and before the model is wrapped or compiled.  New random numbers follow
        ``torch.initial_seed()`` and leave the generators alone, so that the same seed gives the same model.
        ``reversible`` keeps the old values, for :meth:`Applied.undo`.

        Raises:
            CannotApply: a change does not fit; all before it are taken back if ``reversible``.
        """
        journal = Journal(model, optimizer, reversible=reversible)
        try:
            adopted = False
            for change in self.changes:
                remedy = _remedy(change)
                if not adopted and FAMILIES.index(remedy.family) >= FAMILIES.index("optimizer"):
                    journal.adopt()
                    adopted = True
                _apply(remedy, journal, change)
            journal.adopt()
        except BaseException:
            journal.undo()
            raise
        return Applied(journal)

    def says(self) -> str:
        """All changes in a line."""
        return ", ".join(_remedy(c).says(c.options) for c in self.changes) or "nothing changed"

    def code(self) -> str:
        """Lines for the user's own program."""
        return "\n".join(_remedy(c).code(c.options) for c in self.changes)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        data: dict[str, Any] = {"gradclinic": VERSION}
        data |= {key: text for key, text in (("target", self.target), ("note", self.note)) if text}
        return data | {"changes": [change.to_dict() for change in self.changes]}

    def save(self, path: str | Path) -> None:
        """Writes it as YAML.

        Raises:
            UserError: it cannot be written there.
        """
        import yaml

        text = yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot write the recipe {path}: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Reads what :meth:`save` wrote; nothing in it is executed.

        Raises:
            UserError: no such file, or no recipe; says what is wrong with it.
        """
        import yaml

        try:
            data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"cannot read the recipe {path}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is no recipe: {' '.join(str(error).split())[:200]}") from error
        return cls.from_dict(data, str(path))

    @classmethod
    def from_dict(cls, data: Any, name: str = "this") -> Recipe:
        """From plain data.

        Raises:
            UserError: it is no recipe.
        """
        if not isinstance(data, Mapping) or not isinstance(data.get("changes"), Sequence):
            raise UserError(f"{name} is no recipe: a recipe is a mapping with a list of changes")
        if data.get("gradclinic") != VERSION:
            raise UserError(
                f"{name} is a recipe of version {data.get('gradclinic')!r}; this gradclinic reads {VERSION}"
            )
        return cls.of(
            *_changes(data["changes"], name), target=str(data.get("target", "")), note=str(data.get("note", ""))
        )


def _changes(items: Sequence[Any], name: str) -> Iterator[Change]:
    for place, item in enumerate(items, 1):
        if not isinstance(item, Mapping) or not isinstance(item.get("remedy"), str):
            raise UserError(f"{name}: change {place} names no remedy")
        options = item.get("options", {})
        if not isinstance(options, Mapping):
            raise UserError(f"{name}: the options of change {place} ({item['remedy']}) are no mapping")
        yield Change(item["remedy"], dict(options))


def _apply(remedy: Remedy, journal: Journal, change: Change) -> None:
    try:
        remedy.apply(journal, change.options)
    except CannotApply:
        raise
    except KeyError as error:
        raise CannotApply(f"{remedy.id} lacks the option {error}") from error
    except ValueError as error:  # from the surgery, or from torch
        raise CannotApply(f"{remedy.id}: {' '.join(str(error).split())}") from error


def _remedy(change: Change) -> Remedy:
    from .remedies import find_remedy

    return find_remedy(change.remedy)
