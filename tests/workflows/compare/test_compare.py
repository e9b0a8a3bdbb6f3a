"""A comparison as a user asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from rich.console import Console
from torch import nn

import gradclinic
from gradclinic.cure.comparing import compare as comparing
from gradclinic.cure.trials.trial import Trial
from gradclinic.errors import UserError
from gradclinic.show import json_report
from gradclinic.workflows.compare import CompareOptions, run_compare
from tests.cure import tasks

QUICK: dict[str, Any] = {"seeds": 2, "grid": 4}
ALL = "gd,sgd,adam,own"


def small() -> dict[str, Any]:
    return tasks.made(tasks.stack(), steps=96, optimizer=lambda p: torch.optim.Adamax(p, 1e-3))


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[gradclinic.Comparison, Path]:
    folder = tmp_path_factory.mktemp("compared")
    return gradclinic.compare(small, optimizers=ALL, gd_runs=12, out=folder, html=True, **QUICK), folder


def test_the_rows_are_in_order_of_the_loss_and_the_best_is_named(compared: tuple[gradclinic.Comparison, Path]) -> None:
    comparison = compared[0]
    rows = list(comparison.rows.values())
    assert {row.name for row in rows} == set(ALL.split(","))
    losses = [row.interval[0] for row in rows if row.interval]
    assert losses == sorted(losses)
    assert len(losses) == 4
    assert comparison.best == rows[0].name
    assert comparison.headline.startswith(f"{rows[0].name} ends lowest, at a loss of ")
    assert rows[0].behind is None
    for row in rows[1:]:
        assert row.behind is not None
        assert row.behind[0] == pytest.approx(row.interval[0] / losses[0])  # type: ignore[index]


def test_each_has_all_that_is_measured(compared: tuple[gradclinic.Comparison, Path]) -> None:
    for row in compared[0].rows.values():
        assert row.lr is not None
        assert row.decades is not None
        assert row.update is not None
        assert row.seconds is not None
        assert row.window["stable"] > 0
        assert row.curve is not None
        assert row.curve.steps[-1] == 96
        assert row.noise[0].step == 0
        assert row.margin is not None
        assert len(row.metric) == len(row.loss) == 2
    assert compared[0].report.seeds == (1000, 1001)


def test_the_noise_at_the_start_is_the_same_whatever_trains(compared: tuple[gradclinic.Comparison, Path]) -> None:
    first = {row.noise[0] for row in compared[0].rows.values()}
    assert len(first) == 1


def test_full_batch_descent_is_counted_in_gradients_and_held_against_sgd(
    compared: tuple[gradclinic.Comparison, Path],
) -> None:
    report = compared[0].report
    gd = compared[0].rows["gd"]
    assert gd.cost == 12
    assert gd.spent["trainings"] == 2 * 96 * 12
    steps, gradients = report.duels
    assert (steps.equal, steps.amount, steps.gd_steps) == ("steps", 96, 96)
    assert (gradients.equal, gradients.amount, gradients.gd_steps) == ("gradients", 96, 8)
    assert gradients.gd > gradients.sgd  # eight steps are not much
    assert gradients.sgd_behind[0] == pytest.approx(gradients.sgd / gradients.gd)
    assert [each.size for each in report.larger] == [64, 128, 256, 384]
    assert report.larger[-1].times == 12
    assert all(each.steps < 1 < each.samples for each in report.larger)
    assert "full-batch" in report.says[-1]


def test_the_json_holds_to_its_schema(compared: tuple[gradclinic.Comparison, Path], tmp_path: Path) -> None:
    comparison = compared[0]
    comparison.save_json(tmp_path / "c.json")
    read = json.loads((tmp_path / "c.json").read_text(), parse_constant=pytest.fail)
    schema = json_report.schema("comparison")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(read, schema)
    assert (read["schema"], read["kind"], len(read["rows"])) == (1, "compare", 4)


def test_the_page_has_text_and_charts(compared: tuple[gradclinic.Comparison, Path]) -> None:
    (page,) = compared[1].glob("*.html")
    text = page.read_text()
    for key in ("steps", "gradients", "time", "rates", "noise", "batch", "updates"):
        assert f'id="{key}"' in text
    assert "COMPARED" in text
    assert "noise scale" in text
    assert "https://" not in text.partition("<script>")[0]
    assert "ends lowest" in compared[0]._repr_html_()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_shows_the_tables(compared: tuple[gradclinic.Comparison, Path], width: int) -> None:
    console = Console(width=width, color_system=None)
    with console.capture() as caught:
        console.print(compared[0])
    text = caught.get()
    for wanted in ("COMPARED", "optimizer", "decades", "margin", "noise scale", "lowest", "seeds"):
        assert wanted in text
    assert all(len(line) <= width for line in text.splitlines())


def endless() -> dict[str, Any]:
    def batches() -> Iterator[Any]:
        while True:
            rows = torch.randint(384, (32,))
            yield tasks.X[rows], tasks.Y[rows]

    return small() | {"batches": batches, "metric": None}


def test_where_data_have_no_end_full_batch_descent_is_left_out_and_says_so(tmp_path: Path) -> None:
    comparison = gradclinic.compare(endless, optimizers="gd,sgd", out=tmp_path, **QUICK)
    gd = comparison.rows["gd"]
    assert "has no end" in gd.why
    assert "left out" in str(comparison)
    assert comparison.report.population is None
    assert comparison.report.duels == ()
    assert comparison.rows["sgd"].interval is not None
    assert comparison.rows["sgd"].metric == (None, None)


def test_what_does_not_train_is_a_row(tmp_path: Path) -> None:
    def dead() -> dict[str, Any]:
        model = tasks.stack()
        nn.init.zeros_(model[-1].weight)
        nn.init.zeros_(model[-1].bias)
        flat = {"loss": lambda m, b: (m(b[0]) * 0).sum() + 1.0, "metric": None}
        return tasks.made(model, steps=96, **flat)

    comparison = gradclinic.compare(dead, optimizers=["sgd"], out=tmp_path, **QUICK)
    assert comparison.best is None
    assert comparison.headline == "None of these optimizers trains this."
    assert "does not train" in str(comparison)
    jsonschema.validate(comparison.to_dict(), json_report.schema("comparison"))


def test_losses_below_zero_are_held_against_each_other_by_differences(tmp_path: Path) -> None:
    def shifted() -> dict[str, Any]:
        return small() | {"loss": lambda m, b: tasks.loss(m, b) - 5.0}

    comparison = gradclinic.compare(shifted, optimizers="sgd,adam", out=tmp_path, **QUICK)
    assert not comparison.report.ratios
    first, second = comparison.rows.values()
    assert first.interval is not None
    assert second.interval is not None
    assert second.behind is not None
    assert second.behind[0] == pytest.approx(second.interval[0] - first.interval[0])


def test_an_interrupted_comparison_reports_what_is_known_and_keeps_its_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, trained, trials = comparing.train, 0, 0
    advance = Trial.advance

    def train(*arguments: Any, **options: Any) -> Any:
        nonlocal trained
        trained += 1
        if trained == 4:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    def counted(self: Trial, steps: int) -> Any:
        nonlocal trials
        trials += 1
        return advance(self, steps)

    monkeypatch.setattr(comparing, "train", train)
    monkeypatch.setattr(Trial, "advance", counted)
    options = CompareOptions(("sgd", "adam"), 2, 4, out=tmp_path, page=False, live=False)
    first = run_compare(small, options)[0]
    assert first.interrupted
    assert first.headline.startswith("Interrupted with 2 of them trained: ")
    assert len(first.rows["sgd"].loss) == 2
    assert len(first.rows["adam"].loss) == 1
    assert "INTERRUPTED" in str(first)
    before = trials
    again = run_compare(small, options)[0]
    assert trials == before
    assert not again.interrupted
    assert again.rows["sgd"].loss == first.rows["sgd"].loss
    assert not list(tmp_path.glob(".*"))


def test_the_callers_generators_go_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    gradclinic.compare(small, optimizers="sgd", out=tmp_path, seeds=1, grid=2)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"optimizers": "sgd,adm"}, r"no such optimizer: adm; did you mean adam\? there are gd, adam, "),
     ({"grid": 1}, "at least 2 rates"), ({"seeds": 0}, "1 seed"), ({"gd_runs": 0}, "more than 0 training runs"),
     ({"budget": 0.01}, "too few to tell them apart")],
)  # fmt: skip
def test_bad_options_are_said(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        gradclinic.compare(small, out=tmp_path, **options)


def test_what_the_users_code_raises_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"failed in tasks\.py, line \d+: RuntimeError: the disk is gone"):
        gradclinic.compare(tasks.failing, optimizers="sgd,adam", out=tmp_path, **QUICK)
