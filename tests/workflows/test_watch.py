"""``gradclinic.watch`` as a user would call it, in a process of its own where torch must be fresh."""

import json
import sqlite3

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import gradclinic


def training(depth=2, steps=60, lr=0.1, activation=nn.ReLU):
    torch.manual_seed(0)
    width = 16
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), activation())]
    model = nn.Sequential(*layers, nn.Linear(width, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    x = torch.randn(128, width)
    y = x[:, :4].argmax(1)

    def train():
        for _ in range(steps):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

    return model, optimizer, train


def test_a_healthy_training_and_everything_the_answer_offers(tmp_path, capsys):
    model, optimizer, train = training()
    with gradclinic.watch(model, optimizer, out=tmp_path, name="good", steps=60) as monitor:
        train()
    answer = monitor.report
    assert answer.verdict == "healthy"
    assert [finding.severity for finding in answer.findings] in ([], ["note"])
    assert answer.to_dict()["run"]["steps"] == 60
    assert "HEALTHY" in str(answer)
    assert "HEALTHY" in capsys.readouterr().err
    assert "Healthy" in monitor._repr_html_() or "HEALTHY" in monitor._repr_html_()
    assert monitor.path.parent == tmp_path
    assert monitor.path.with_suffix(".html").stat().st_size > 1_000_000
    answer.save_html(tmp_path / "again.html")
    answer.save_json(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())["verdict"] == "healthy"
    with sqlite3.connect(monitor.path) as record:
        assert record.execute("select count(*) from steps").fetchone()[0] == 60


def test_a_sick_training_names_module_and_cause(tmp_path):
    model, optimizer, train = training(depth=12, activation=nn.Sigmoid)
    with gradclinic.watch(model, optimizer, out=tmp_path, show=False, html=False) as monitor:
        train()
    finding = monitor.report.findings[0]
    assert monitor.report.verdict == "sick"
    assert (finding.condition, finding.cause) == ("vanishing_gradient", "saturating_activation")
    assert "1" in finding.where
    assert not list(tmp_path.glob("*.html"))


def test_an_exception_passes_through_and_is_in_the_record(tmp_path):
    model, optimizer, train = training(steps=5)
    monitor = gradclinic.watch(model, optimizer, out=tmp_path, show=False, html=False)

    def fails():
        with monitor:
            train()
            raise ValueError("the user's own")

    with pytest.raises(ValueError, match="the user's own"):
        fails()
    assert monitor.report.to_dict()["run"]["ending"] == "failed"
    assert "the user's own" in monitor.report.headline


def test_a_cell_that_runs_twice_watches_once(tmp_path):
    model, optimizer, train = training(steps=5)
    first = gradclinic.watch(model, optimizer, out=tmp_path, show=False, html=False).start()
    train()
    second = gradclinic.watch(model, optimizer, out=tmp_path, show=False, html=False).start()
    train()
    second.stop()
    assert [watch.report.to_dict()["run"]["steps"] for watch in (first, second)] == [5, 5]
    assert second.stop() is second.report


def test_a_failure_in_the_answer_leaves_the_training_alone(tmp_path, monkeypatch, capsys):
    model, optimizer, train = training(steps=3)
    monkeypatch.setattr("gradclinic.workflows.answer.diagnose", lambda _: 1 / 0)
    with gradclinic.watch(model, optimizer, out=tmp_path) as monitor:
        train()
    assert monitor.report is None
    assert "no report (ZeroDivisionError" in capsys.readouterr().err
    assert monitor.path.exists()


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(gradclinic.UserError, match="choose another"):
        gradclinic.watch(out=tmp_path / "file" / "runs")
