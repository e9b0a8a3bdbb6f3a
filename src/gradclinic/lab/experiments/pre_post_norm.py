"""Where the norm stands in a transformer: what becomes of tokens and gradients with depth (Noci 2022, Xiong 2020)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from ..experiment import Claim, Experiment, Figure, Row, Settings, at_least, at_most, mean, pick
from ..figures import lines
from ..training import accuracy, train_classifier
from ..zoo import Transformer

TOKENS, CLASSES = 32, 4


def conditions(settings: Settings) -> Iterable[Mapping[str, Any]]:
    for norm in ("post", "pre"):
        for depth in settings["depths"]:
            sizes = {name: settings[name] for name in ("width", "length", "steps")}
            yield {"norm": norm, "depth": depth, **sizes}


def measure(norm: str, depth: int, width: int, length: int, steps: int, seed: int) -> Mapping[str, Any]:
    model = Transformer(TOKENS, length, width, depth, CLASSES, norm)  # type: ignore[arg-type]
    x, y = _sequences(1000, length)
    alike = _alike(model, x[:16])
    loss = F.cross_entropy(model(x[:64]), y[:64])
    torch.autograd.backward(loss)
    last = dict(model.blocks[-1].named_parameters())
    keys = _size(last["queries.weight"], last["keys.weight"])
    feed_forward = _size(last["feed_forward.0.weight"], last["feed_forward.2.weight"])
    train_classifier(model, torch.optim.Adam(model.parameters(), 1e-3), x, y, steps, 32)
    right = accuracy(model, *_sequences(300, length))
    return {"alike": alike, "keys": keys, "keys_over_feed_forward": keys / feed_forward, "accuracy": right}


def _size(*parameters: torch.Tensor) -> float:
    """Norm of the gradients together."""
    return float(torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).norm())


def _sequences(count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Which of the first four tokens occurs?  It stands once, anywhere among the others."""
    x = torch.randint(CLASSES, TOKENS, (count, length))
    y = torch.randint(CLASSES, (count,))
    x[torch.arange(count), torch.randint(length, (count,))] = y
    return x, y


@torch.no_grad()
def _alike(model: Transformer, x: torch.Tensor) -> float:
    """Mean cosine of two tokens of a sequence at the top."""
    unit = F.normalize(model.features(x), dim=-1)
    cosines = unit @ unit.mT
    count = x.shape[1]
    return float((cosines.sum((1, 2)) - count).mean() / (count * (count - 1)))


def judge(rows: Sequence[Row]) -> list[Claim]:
    deepest = max(row["depth"] for row in rows)

    def of(norm: str, value: str) -> float:
        return mean(pick(rows, norm=norm, depth=deepest), value)

    return [
        at_least(
            f"cosine of two tokens at the top, post-norm, {deepest} layers: rank collapse", 0.98, of("post", "alike")
        ),
        at_most("the same, pre-norm: less", 0.9, of("pre", "alike")),
        # 24 layers of width 128: 1.5e-5/.60 against 6.3e-3 at pre-norm in an independent run.
        at_most(
            "gradient of the last queries and keys over the feed-forward's, post-norm",
            1e-3,
            of("post", "keys_over_feed_forward"),
        ),
        at_least(
            "pre-norm's gradient of the last queries and keys, over post-norm's",
            10,
            of("pre", "keys") / of("post", "keys"),
        ),
        at_least(f"accuracy, pre-norm, {deepest} layers, no warm-up (Xiong 2020)", 0.8, of("pre", "accuracy")),
        at_least("accuracy, pre-norm less post-norm", 0.3, of("pre", "accuracy") - of("post", "accuracy")),
    ]


def draw(rows: Sequence[Row]) -> list[Figure]:
    depths = sorted({row["depth"] for row in rows})

    def curves(value: str) -> dict[str, tuple[list[int], list[float]]]:
        return {
            f"{norm}-norm": (depths, [mean(pick(rows, norm=norm, depth=n), value) for n in depths])
            for norm in ("post", "pre")
        }

    return [
        lines(
            "Tokens become alike",
            "Mean cosine of two tokens of a sequence at the top, at the start.",
            curves("alike"),
            ("layers", "cosine"),
        ),
        lines(
            "The gradient of queries and keys",
            "In the last layer, over the feed-forward's, at the start.",
            curves("keys_over_feed_forward"),
            ("layers", "ratio"),
            log="y",
        ),
        lines(
            "Accuracy by depth",
            "Which of four tokens occurs? Chance is 1/4.",
            curves("accuracy"),
            ("layers", "accuracy"),
        ),
    ]


EXPERIMENT = Experiment(
    name="pre-post-norm",
    title="Post-norm transformers collapse with depth: tokens alike, attention without gradient; pre-norm does not",
    paper="Noci 2022: Signal propagation in transformers; Xiong 2020: On layer normalization in the transformer",
    quick={"depths": (2, 24), "width": 64, "length": 12, "steps": 120},
    full={"depths": (2, 6, 12, 24, 48), "width": 128, "length": 32, "steps": 2000},
    conditions=conditions,
    measure=measure,
    judge=judge,
    draw=draw,
)
