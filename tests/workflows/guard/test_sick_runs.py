"""Sick trainings with and without the guard."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import gradclinic
from gradclinic.cure.guard import pace

STEPS = 300


def task(seed=0):
    torch.manual_seed(seed)
    x = torch.randn(512, 16)
    return x, x[:, :4].argmax(1)


def net(*extra):
    return nn.Sequential(nn.Linear(16, 64), *extra, nn.ReLU(), nn.Linear(64, 4))


def final(model, x, y):
    model.eval()
    return F.cross_entropy(model(x).float(), y).item()


def guarded(train, tmp_path, guard=True):
    """The result of a training, and the report on it."""
    with gradclinic.watch(out=tmp_path, show=False, html=False, guard=guard) as monitor:
        result = train()
    return result, monitor.report


def acts(report):
    return [act["act"] for act in report.to_dict()["run"]["guard"]["acts"]]


@pytest.fixture(autouse=True)
def _as_often_as_it_may(monkeypatch):
    """States are kept by steps alone, so that a busy machine changes nothing."""
    monkeypatch.setattr(pace, "SHARE", 1e9)


MAKERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-3),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "fused": lambda p: torch.optim.AdamW(p, lr=0.01, fused=True),
}


@pytest.mark.parametrize("closure", [False, True], ids=["", "closure"])
@pytest.mark.parametrize("name", MAKERS)
def test_one_bad_batch_costs_one_step_and_nothing_else(name, closure, tmp_path):
    """The reference is the same script with that step left out by hand."""

    def train(leave_out=False):
        x, y = task()
        model = net()
        optimizer = MAKERS[name](model.parameters())
        for step in range(STEPS):
            rows = torch.randint(0, 512, (64,))
            batch = x[rows].clone()
            if step == 150:
                batch[3, 3] = float("nan")
                if leave_out:
                    continue

            def compute(batch=batch, rows=rows):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(batch), y[rows])
                loss.backward()
                return loss

            if closure:
                optimizer.step(compute)
            else:
                compute()
                optimizer.step()
        return final(model, x, y)

    assert math.isnan(train())
    result, report = guarded(train, tmp_path)
    assert result == train(leave_out=True)
    assert result < 0.1
    assert acts(report) == ["skip"]
    assert report.verdict == "healthy"
    # It is still said what was wrong, and where.
    finding = report.findings[0]
    assert (finding.condition, finding.severity, finding.step) == ("non_finite", "note", 150)


def test_running_statistics_of_a_bad_batch_are_mended(tmp_path):
    def train():
        x, y = task()
        model = net(nn.BatchNorm1d(64))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for step in range(STEPS):
            rows = torch.randint(0, 512, (64,))
            batch = x[rows] * (float("inf") if step == 150 else 1)
            optimizer.zero_grad()
            F.cross_entropy(model(batch), y[rows]).backward()
            optimizer.step()
        return final(model, x, y)

    assert math.isnan(train())
    result, report = guarded(train, tmp_path)
    assert result < 0.1
    assert acts(report) == ["skip", "buffers"]


def test_a_spike_is_clipped_and_what_was_learned_stays(tmp_path):
    def train(count=STEPS):
        x, _ = task()
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for step in range(count):
            rows = torch.randint(0, 512, (64,))
            target = x[rows, :4] * (300 if step == 200 else 1)  # a batch in other units
            loss = F.mse_loss(model(x[rows]), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return F.mse_loss(model(x), x[:, :4]).item()

    before = train(200)
    assert train(203) > 2 * before
    result, report = guarded(lambda: train(203), tmp_path)
    assert result < 1.1 * before
    assert acts(report) == ["clip"]


@pytest.mark.parametrize("schedule", [False, True], ids=["", "scheduled"])
def test_a_rate_that_is_too_high_is_lowered_until_it_trains(schedule, tmp_path):
    def train():
        x, _ = task()
        y = torch.stack([x[:, 0] * x[:, 1], x.sum(1) / 4], 1)
        model = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=3.0)
        # Computes the rate anew at each step, and raises an error when it is asked for more steps than planned.
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3.0, total_steps=STEPS + 1) if schedule else None
        for _ in range(STEPS):
            loss = F.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler:
                scheduler.step()
        assert optimizer.param_groups[0]["lr"] >= 3.0 or schedule  # the script's own rate is left as it is
        return loss.item(), F.mse_loss(y.mean(0).expand_as(y), y).item()

    unguarded, constant = train()
    assert not unguarded < 2 * constant
    (result, constant), report = guarded(train, tmp_path)
    assert result < 0.7 * constant
    assert "roll back" in acts(report)
    told = report.to_dict()
    assert told["run"]["guard"]["rate_factor"] < 1
    finding = report.findings[0]
    assert "The guard went back" in finding.explanation
    assert "The guard went back" in report.headline
    if not schedule:  # in the middle of a schedule a loss that jumps has several names
        assert (finding.condition, finding.cause) == ("divergence", "learning_rate_high")


def test_overflow_in_float16_is_survived(tmp_path):
    """A constant loss scale, unscaled by hand: now and then a batch overflows."""

    def train():
        x, y = task()
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for step in range(STEPS):
            rows = torch.randint(0, 512, (64,))
            batch = x[rows] * (1000 if step % 100 == 60 else 1)
            with torch.autocast("cpu", dtype=torch.float16):
                loss = F.cross_entropy(model(batch).float(), y[rows])
            optimizer.zero_grad()
            (loss * 2.0**15).backward()
            for parameter in model.parameters():
                parameter.grad /= 2.0**15
            optimizer.step()
        return final(model, x, y)

    assert math.isnan(train())
    result, report = guarded(train, tmp_path)
    assert result < 0.1
    assert "skip" in acts(report)
    assert any(finding.condition == "non_finite" for finding in report.findings)


def corrupted(model, how):
    with torch.no_grad():
        if how == "turned":
            model[2].weight.mul_(-100)
        else:
            model[0].weight[0, 0] = float(how)


@pytest.mark.parametrize("how", ["turned", "nan"])
@pytest.mark.parametrize("disk", [False, True], ids=["memory", "disk"])
def test_weights_that_are_gone_come_back(how, disk, tmp_path):
    """As by a fault of the hardware, at step 150."""

    def train():
        x, y = task()
        model = net()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for step in range(STEPS):
            rows = torch.randint(0, 512, (64,))
            if step == 150:
                corrupted(model, how)
            loss = F.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        x = torch.randn(512, 16)
        return final(model, x, x[:, :4].argmax(1))

    unguarded = train()
    assert not unguarded < 0.5
    guard = gradclinic.Guard(folder=tmp_path / "states" if disk else None)
    result, report = guarded(train, tmp_path, guard)
    assert result < 0.3
    told = report.to_dict()["run"]["guard"]
    assert told["rolled_back"] == 1
    act = next(act for act in told["acts"] if act["act"] == "roll back")
    assert 50 <= act["to"] < 150
    assert act["step"] >= 150


def test_data_that_change_for_good_are_taken_as_they_are(tmp_path):
    def train(shift=True):
        x, _ = task()
        model = net()
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for step in range(STEPS * 2):
            rows = torch.randint(0, 512, (64,))
            target = x[rows, :4] + (5.0 if shift and step >= STEPS else 0.0)
            loss = F.mse_loss(model(x[rows]), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    unguarded = train()
    result, report = guarded(train, tmp_path)
    assert [act for act in acts(report) if act != "clip"] == ["roll back", "new level"]
    assert report.to_dict()["run"]["guard"]["rate_factor"] == 1.0
    assert result < 2 * unguarded


def test_it_goes_back_so_often_and_no_more(tmp_path):
    def train():
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for step in range(200):
            x = torch.randn(16, 4)
            if step > 20:
                with torch.no_grad():
                    model.weight.fill_(float("nan"))
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()

    _, report = guarded(train, tmp_path, gradclinic.Guard(times=2))
    told = report.to_dict()["run"]["guard"]
    assert told["rolled_back"] == 2
    assert acts(report).count("given up") == 1
    assert told["skipped"] > 100
    assert report.verdict == "sick"


def test_a_failure_in_the_guard_switches_it_off_and_nothing_else(tmp_path, monkeypatch):
    def train():
        x, y = task()
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(60):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        return final(model, x, y)

    unguarded = train()
    monkeypatch.setattr("gradclinic.cure.guard.norms.RunningNorm.take", lambda *_: 1 / 0)
    result, report = guarded(train, tmp_path)
    assert result == unguarded
    assert [(act["act"], act["why"]) for act in report.to_dict()["run"]["guard"]["acts"]] == [
        ("off", "ZeroDivisionError: division by zero")
    ]
    assert "switched itself off" in str(report)


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(gradclinic.UserError, match="choose another with folder="):
        gradclinic.watch(out=tmp_path, guard=gradclinic.Guard(folder=tmp_path / "file" / "states"))


def test_a_step_that_cannot_be_read_is_left_alone_and_the_next_is_guarded(tmp_path, monkeypatch):
    from gradclinic.capture.recorder import Recorder

    seen, count = Recorder.seen, [0]

    def unsteady(self, optimizer):
        count[0] += 1
        return 1 / 0 if count[0] == 5 else seen(self, optimizer)

    monkeypatch.setattr(Recorder, "seen", unsteady)

    def train():
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for step in range(30):
            optimizer.zero_grad()
            (model(torch.randn(16, 4)).pow(2).mean() * (float("nan") if step == 20 else 1)).backward()
            optimizer.step()
        return model.weight.isfinite().all()

    result, report = guarded(train, tmp_path)
    assert result
    assert acts(report) == ["not read", "skip"]
