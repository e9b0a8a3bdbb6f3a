"""Draws the figures of docs/learn, each from what a command of its chapter computes, as SVG with its data in it.

python docs/learn/figures.py draws them anew, in seconds; with --out FOLDER elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import re
import runpy
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WIDTH, HEIGHT = 820, 400
LEFT, RIGHT, TOP, BOTTOM = 78, 236, 18, 52  # margins; the legend stands in the right one
#: The text follows the page; the lines have colours that can be seen on a light page and on a dark one.
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #333 } .axis { stroke: #8888; fill: none } .grid { stroke: #8883 }
.line { fill: none; stroke-width: 2 } .dash { stroke-dasharray: 6 4; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { text { fill: #ccc } }
""".strip()


def script(name: str) -> dict[str, Any]:
    """The variables that a script of docs/learn/code ends with."""
    with contextlib.redirect_stdout(io.StringIO()):
        return runpy.run_path(str(HERE / "code" / f"{name}.py"))


def lab(name: str, without: tuple[str, ...] = (), **settings: Any) -> dict[str, Any]:
    """The first figure of ``gradclinic lab NAME --quick``, less some curves.  ``settings``: what it does not show."""
    from gradclinic.lab.catalogue import find
    from gradclinic.lab.runner import run

    experiment = find(name)
    figure = run(experiment, {**experiment.quick, **settings}).figures[0]
    curves = [
        (line["name"], line["x"], line["y"], "dash" in line["line"])
        for line in figure.data
        if line["name"] not in without
    ]
    axes = (figure.layout["xaxis"]["title"]["text"], figure.layout["yaxis"]["title"]["text"])
    return chart(figure.title, axes, curves, figure.layout["yaxis"]["type"] == "log")


def chart(title: str, axes: tuple[str, str], curves: list[tuple[str, Any, Any, bool]], log: bool) -> dict[str, Any]:
    """A figure of (name, x, y, dashed) curves; dashed ones have the colours of the others, in their order."""
    from gradclinic.lab.figures import COLOURS, finite

    plain = [curve for curve in curves if not curve[3]]
    dashed = [curve for curve in curves if curve[3]]
    made = [
        {"name": name, "x": [float(each) for each in x], "y": finite(y), "dash": dash, "colour": COLOURS[place]}
        for group in (plain, dashed)
        for place, (name, x, y, dash) in enumerate(group)
    ]
    return {"title": title, "axes": list(axes), "log": log, "curves": made}


def jacobians() -> dict[str, Any]:
    """Chapter 1: norms through random matrices, beside σ_w to the power of the depth."""
    curves = script("jacobians")["curves"]
    layers = range(51)
    drawn = [(f"σ_w = {sigma}", layers, decades, False) for sigma, decades in curves.items()]
    drawn += [(f"{sigma}^layers", layers, [n * math.log10(sigma) for n in layers], True) for sigma in curves]
    return chart("A gradient through random matrices", ("layers back", "decades (log10 of the norm)"), drawn, False)


def recurrence() -> dict[str, Any]:
    """Chapter 2: the same matrix again and again."""
    curves = script("recurrence")["curves"]
    steps = range(101)
    drawn = [(f"radius {radius}", steps, decades, False) for radius, decades in curves.items()]
    drawn += [(f"{radius}^steps", steps, [n * math.log10(radius) for n in steps], True) for radius in curves]
    return chart("A gradient through time", ("time steps back", "decades (log10 of the norm)"), drawn, False)


def weight_gradients() -> dict[str, Any]:
    """Chapter 3: signal, δ and the gradient of the weights, layer by layer, under Xavier's initialisation."""
    curves = script("weight_gradients")["curves"]["Xavier"]
    names = ("signal", "its gradient δ", "gradient of the weights")
    drawn = [
        (name, range(2, 31), [value / values[-1] for value in values[1:]], False)
        for name, values in zip(names, curves, strict=True)
    ]
    return chart("Thirty ReLU layers, Xavier", ("layer", "norm over that of the last layer"), drawn, True)


def rate() -> dict[str, Any]:
    """Chapter 5: the gradient's norm under three learning rates."""
    drawn = [(name, range(len(norms)), norms, False) for name, norms in script("rate")["curves"].items()]
    return chart("A line fitted, no depth at all", ("step", "‖∇‖"), drawn, True)


#: Figures by name.  What the lab trains is not in its figure here, so it trains for no step.
FIGURES = {
    "jacobians": jacobians,
    "activations": lambda: lab("sigmoid-vs-relu", ("sigmoid, kaiming", "tanh, kaiming"), steps=0),
    "recurrence": recurrence,
    "gates": lambda: lab("lstm-gates", steps=0),
    "batchnorm": lambda: lab("batchnorm-explosion"),
    "weight_gradients": weight_gradients,
    "rate": rate,
}


def svg(figure: dict[str, Any]) -> str:
    """The figure as SVG; ``data`` takes it out again."""
    curves = figure["curves"]
    scale = math.log10 if figure["log"] else float
    ys = [scale(y) for curve in curves for y in curve["y"] if y is not None]
    xs = [x for curve in curves for x in curve["x"]]
    x_low, x_high = min(xs), max(xs)
    y_ticks = _ticks(min(ys), max(ys), whole=figure["log"])
    y_low, y_high = min(*ys, y_ticks[0]), max(*ys, y_ticks[-1])

    def across(x: float) -> float:
        return round(LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT), 1)

    def down(y: float) -> float:
        return round(HEIGHT - BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(figure['title'])}</title>",
        f"<metadata>{escape(json.dumps(figure, ensure_ascii=False))}</metadata>",
        f"<style>{STYLE}</style>",
    ]
    for tick in y_ticks:
        y = down(tick)
        label = _power(tick) if figure["log"] else f"{tick:+g}".replace("-", "−").replace("+0", "0")
        parts += [f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>']
        parts += [f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{label}</text>']
    for tick in _ticks(x_low, x_high, whole=True):
        parts += [f'<text x="{across(tick)}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{tick:g}</text>']
    parts += [f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>']
    middles = (LEFT + WIDTH - RIGHT) / 2, (HEIGHT - BOTTOM + TOP) / 2
    places = f'x="{middles[0]}" y="{HEIGHT - 12}"', f'transform="translate(18 {middles[1]}) rotate(-90)"'
    for where, axis in zip(places, figure["axes"], strict=True):
        parts += [f'<text {where} text-anchor="middle">{escape(axis)}</text>']
    for place, curve in enumerate(curves):
        style = f'class="line{" dash" if curve["dash"] else ""}" stroke="{curve["colour"]}"'
        points = [(across(x), down(scale(y))) for x, y in zip(curve["x"], curve["y"], strict=True) if y is not None]
        parts += [f'<path {style} d="M{" ".join(f"{x} {y}" for x, y in points)}"/>']
        y = TOP + 12 + 22 * place
        parts += [f'<path {style} d="M{WIDTH - RIGHT + 12} {y - 4}h22"/>']
        parts += [f'<text x="{WIDTH - RIGHT + 40}" y="{y}">{escape(curve["name"])}</text>']
    return "\n".join([*parts, "</svg>", ""])


def data(drawn: str) -> dict[str, Any]:
    """The figure that an SVG was drawn from."""
    from html import unescape

    found = re.search(r"<metadata>(.*?)</metadata>", drawn)
    assert found, "not one of our figures"
    figure: dict[str, Any] = json.loads(unescape(found[1]))
    return figure


def _ticks(low: float, high: float, *, whole: bool) -> list[float]:
    """Some five round numbers between ``low`` and ``high``."""
    rough = (high - low) / 5 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
    step = max(1.0, round(step)) if whole else step
    return [round(step * place, 10) for place in range(math.ceil(low / step), math.floor(high / step) + 1)] or [low]


def _power(exponent: float) -> str:
    small = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{small}"


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "figures")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FIGURES.items():
        (folder / f"{name}.svg").write_text(svg(make()), "utf-8")


if __name__ == "__main__":
    main()
