"""The recipe as a change of the user's own source, where it can be made in the text: a unified diff.

Numbers and names are replaced where they stand (a learning rate, an optimizer, an activation); for all else the recipe
is applied on a line after the one that makes the optimizer.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from .recipe import Change, Recipe
from .remedies.optimizer import OFFERED
from .surgery.nodes import ACTIVATIONS

#: Functions of torch and torch.nn.functional that are written by the name of the activation.
_FUNCTIONS = ("torch", "F", "functional")


@dataclass(frozen=True, slots=True)
class _Edit:
    """Another text from one place to another: lines from 1, columns in bytes, as ``ast`` counts."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def patch(source: str, name: str, recipe: Recipe, recipe_file: str, within: str = "") -> str:
    """A unified diff of ``source``, which the user calls ``name``; empty where nothing can be said.

    ``within``: the function whose training it is, "" for a script as a whole.  ``recipe_file``: where the recipe lies.
    """
    try:
        tree: ast.AST = ast.parse(source)
    except SyntaxError:
        return ""
    part = next((n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == within), tree)
    edits: list[_Edit] = []
    for change in recipe.changes:
        found = list(_replaced(part, change))
        if not found:
            edits = list(_applied(part, recipe_file)) if part is tree else []
            break
        edits += found
    old, new = (text.splitlines(keepends=True) for text in (source, _edited(source, edits)))
    return "".join(difflib.unified_diff(old, new, name, name, n=1)) if edits else ""


def _replaced(part: ast.AST, change: Change) -> Iterator[_Edit]:
    """The change as other numbers and names where they stand; nothing where it is none of that kind."""
    if change.remedy == "learning_rate":
        yield from (_over(value, f"{change.options['lr']:g}") for call in _optimizers(part) for value in _rates(call))
    elif change.remedy == "weight_decay":
        for call in _optimizers(part):
            for keyword in call.keywords:
                if keyword.arg == "weight_decay":
                    yield _over(keyword.value, f"{change.options['weight_decay']:g}")
    elif change.remedy == "optimizer":
        kind, settings = OFFERED[change.options["name"]]
        words = "".join(f", {key}={value!r}" for key, value in settings.items())
        for call in _optimizers(part):
            if call.args and isinstance(call.func, ast.Attribute):
                made = f"{ast.unparse(call.func.value)}.{kind.__name__}({ast.unparse(call.args[0])}"
                yield _over(call, f"{made}, lr={change.options['lr']:g}{words})")
    elif change.remedy == "activation_swap":
        yield from _activations(part, change.options["to"])


def _activations(part: ast.AST, to: str) -> Iterator[_Edit]:
    modules = {make.__name__: name for name, (make, _, _) in ACTIVATIONS.items() if isinstance(make, type)}
    new = ACTIVATIONS[to][0].__name__
    for node in ast.walk(part):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if modules.get(node.attr, to) != to and node.attr != "Identity":
            yield _over(node, f"{node.value.id}.{new}")
        elif node.value.id in _FUNCTIONS and node.attr in ACTIVATIONS and node.attr != to:
            yield _over(node, f"torch.nn.functional.{to}" if node.value.id == "torch" else f"{node.value.id}.{to}")


def _applied(tree: ast.AST, recipe_file: str) -> Iterator[_Edit]:
    """A line after ``optimizer = torch.optim...(model.parameters(), ...)``, by the names that stand there."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        calls = [call for call in _optimizers(node) if call.args]
        model = _model_of(calls[0].args[0]) if calls else None
        if model is None:
            continue
        end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
        both = f"{model}, {node.targets[0].id}"
        line = f"{both} = gradclinic.Recipe.load({recipe_file!r}).apply({both})"
        yield _Edit((1, 0), (1, 0), "import gradclinic\n")
        yield _Edit(end, end, "\n" + " " * node.col_offset + line)
        return


def _model_of(argument: ast.AST) -> str | None:
    """``net`` of ``net.parameters()``."""
    call = argument if isinstance(argument, ast.Call) else None
    parameters = call is not None and isinstance(call.func, ast.Attribute) and call.func.attr == "parameters"
    return ast.unparse(call.func.value) if parameters else None  # type: ignore[union-attr]  # both were asked above


def _optimizers(part: ast.AST) -> list[ast.Call]:
    names = {kind.__name__ for kind, _ in OFFERED.values()} | {"Adadelta", "Adamax", "ASGD", "LBFGS", "Muon"}
    calls = [node for node in ast.walk(part) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in names]


def _rates(call: ast.Call) -> list[ast.expr]:
    """Where the learning rate stands as a number."""
    found = [keyword.value for keyword in call.keywords if keyword.arg == "lr"] or call.args[1:2]
    return [value for value in found if isinstance(value, ast.Constant)]


def _over(node: ast.expr, text: str) -> _Edit:
    return _Edit((node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0), text)


def _edited(source: str, edits: list[_Edit]) -> str:
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    whole = b"".join(lines)
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        low, high = (starts[line - 1] + column for line, column in (edit.start, edit.end))
        whole = whole[:low] + edit.text.encode() + whole[high:]
    return whole.decode()
