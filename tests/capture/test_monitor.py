"""The monitor on real trainings of every shape, against what the loop itself knows."""

import os

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules import module as torch_module
from torch.optim import optimizer as torch_optimizer
from torch.utils.checkpoint import checkpoint

from gradclinic.capture import Monitor
from gradclinic.schema import record as rows
from gradclinic.schema.vitals import norms


class Rows:
    """A sink that keeps everything."""

    def __init__(self):
        self.all = []

    def put(self, row):
        self.all.append(row)

    def of(self, kind):
        return [row for row in self.all if isinstance(row, kind)]

    @property
    def steps(self):
        return self.of(rows.Step)

    def events(self, kind):
        return [row for row in self.of(rows.Event) if row.kind == kind]

    def names(self):
        return [row.name for row in self.of(rows.ParameterInfo)]


class Watching:
    def __init__(self, *models):
        self.models = models

    def __enter__(self):
        self.rows = Rows()
        self.monitor = Monitor(self.rows)
        self.monitor.start(self.models)
        return self.rows

    def __exit__(self, *_):
        self.monitor.stop()


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def batch(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(16, 6, generator=generator), torch.randint(0, 3, (16,), generator=generator)


def train(model, optimizer, steps, x, y):
    losses, gradients = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        gradients.append([float(parameter.grad.norm()) for parameter in model.parameters()])
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, gradients


def test_every_step_with_its_loss_rate_and_gradients():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    losses, gradients = [], []
    with Watching(model) as seen:
        for _ in range(4):
            one = train(model, optimizer, 1, *batch())
            losses += one[0]
            gradients += one[1]
            scheduler.step()
    assert [step.step for step in seen.steps] == [0, 1, 2, 3]
    assert [step.loss for step in seen.steps] == losses
    assert [step.lr for step in seen.steps] == [(0.1,), (0.05,), (0.025,), (0.0125,)]
    assert np.allclose([norms(step.gradients) for step in seen.steps], gradients, rtol=1e-5)
    assert seen.names() == [name for name, _ in model.named_parameters()]
    assert seen.of(rows.OptimizerInfo)[0].name == "SGD"


def test_watching_changes_no_bit():
    def run(watched):
        torch.manual_seed(3)
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(144, 3),
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        x, y = torch.randn(8, 1, 8, 8), torch.randint(0, 3, (8,))
        if watched:
            with Watching(model):
                losses, _ = train(model, optimizer, 12, x, y)
        else:
            losses, _ = train(model, optimizer, 12, x, y)
        return losses, [parameter.detach().clone() for parameter in model.parameters()], torch.get_rng_state()

    plain, watched = run(False), run(True)
    assert plain[0] == watched[0]
    assert all(torch.equal(left, right) for left, right in zip(plain[1], watched[1], strict=True))
    assert torch.equal(plain[2], watched[2])


def test_leaves_nothing_behind():
    before = (torch.autograd.backward, torch.autograd.grad, nn.utils.clip_grad._clip_grads_with_norm_, torch.compile)
    model = net()
    with Watching(model) as seen:
        train(model, torch.optim.SGD(model.parameters(), lr=0.1), 30, *batch())
        assert len(seen.of(rows.LedgerRow)) >= 5
    after = (torch.autograd.backward, torch.autograd.grad, nn.utils.clip_grad._clip_grads_with_norm_, torch.compile)
    assert before == after
    assert not torch_module._global_forward_hooks
    assert not torch_module._global_forward_pre_hooks
    assert not torch_optimizer._global_optimizer_pre_hooks
    assert not any(module._forward_hooks for module in model.modules())


def test_no_module_hook_stands_between_the_looks():
    model = net()
    idle = []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Watching(model) as seen:
        for _ in range(60):
            train(model, optimizer, 1, *batch())
            idle.append(not torch_module._global_forward_hooks)
    assert sum(idle) > 30
    looks = {row.tick for row in seen.of(rows.LedgerRow)}
    # Hooks stand after step k exactly when step k + 1 is the one looked at.
    assert [not free for free in idle[:-1]] == [step + 1 in looks for step in range(59)]


def test_ledgers_and_updates_belong_to_their_step():
    model = net()
    with Watching(model) as seen:
        train(model, torch.optim.SGD(model.parameters(), lr=0.5), 3, *batch())
    assert [row.tick for row in seen.of(rows.LedgerRow)] == [0, 1, 2]
    assert [row.tick for row in seen.of(rows.Updates)] == [0, 1, 2]
    ledger = seen.of(rows.LedgerRow)[0].ledger
    assert {"0", "2"} <= {entry.module for entry in ledger.entries}
    first = seen.of(rows.Updates)[0]
    assert np.allclose(first.update_norm, 0.5 * norms(seen.steps[0].gradients), rtol=1e-3)


def test_lbfgs_closures_are_one_step_each():
    model = net()
    x, y = batch()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    first = []

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        losses.append(float(loss.detach()))
        return loss

    with Watching(model) as seen:
        for _ in range(3):
            losses = []
            optimizer.step(closure)
            first.append(losses[0])
    assert [step.loss for step in seen.steps] == first
    assert all(step.backwards >= 2 for step in seen.steps)
    assert all((norms(step.gradients) > 0).all() for step in seen.steps)


def test_accumulation_is_judged_on_the_step():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Watching(model) as seen:
        for _ in range(2):
            for part in range(4):
                x, y = batch(part)
                (F.cross_entropy(model(x), y) / 4).backward()
            expected = [float(parameter.grad.norm()) for parameter in model.parameters()]
            optimizer.step()
            optimizer.zero_grad()
    assert [step.backwards for step in seen.steps] == [4, 4]
    assert np.allclose(norms(seen.steps[1].gradients), expected, rtol=1e-5)


def test_two_models_with_an_optimizer_each():
    generator, critic = nn.Sequential(nn.Linear(2, 6)), nn.Sequential(nn.Linear(6, 1))
    first = torch.optim.Adam(critic.parameters(), lr=1e-3)
    second = torch.optim.Adam(generator.parameters(), lr=1e-4)
    with Watching(generator, critic) as seen:
        for _ in range(3):
            first.zero_grad()
            critic(generator(torch.ones(4, 2)).detach()).mean().backward()
            first.step()
            second.zero_grad()
            (-critic(generator(torch.ones(4, 2))).mean()).backward()
            second.step()
    assert [(step.optimizer, step.step) for step in seen.steps] == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]
    assert [step.tick for step in seen.steps] == list(range(6))
    assert len(set(seen.names())) == 4
    of_critic = [row.index for row in seen.of(rows.ParameterInfo) if row.optimizer == 0]
    assert all((step.gradients["count"][of_critic] >= 0).all() == (step.optimizer == 0) for step in seen.steps[2:])


def test_clipping_norm_before_and_after():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = batch()
    with Watching(model) as seen:
        (1000 * F.cross_entropy(model(x), y)).backward()
        before = float(nn.utils.clip_grad_norm_(model.parameters(), 1.5))
        optimizer.step()
    step = seen.steps[0]
    assert (step.clip_norm, step.clip_limit) == (before, 1.5)
    assert np.sqrt((norms(step.gradients) ** 2).sum()) == pytest.approx(1.5, rel=1e-3)


def test_scaler_back_off_and_clipping_before_unscaling():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    x, y = batch()
    with Watching(model) as seen:
        for poison in (float("inf"), 1.0):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            scaler.scale(loss * poison if poison != 1.0 else loss).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
    assert [step.skipped for step in seen.steps] == [True, False]
    assert seen.steps[1].loss == float(loss.detach())
    assert len(seen.events("scaler_skip")) == 1
    assert len(seen.events("clip_before_unscale")) == 1


def test_a_loop_without_an_optimizer():
    torch.manual_seed(0)
    weight, bias = torch.randn(6, 3, requires_grad=True), torch.zeros(3, requires_grad=True)
    x, y = batch()
    losses, gradients = [], []
    with Watching() as seen:
        for _ in range(5):
            loss = F.cross_entropy(torch.tanh(x) @ weight + bias, y)
            loss.backward()
            losses.append(float(loss.detach()))
            gradients.append(sorted([float(weight.grad.norm()), float(bias.grad.norm())]))
            with torch.no_grad():
                for parameter in (weight, bias):
                    parameter -= 0.5 * parameter.grad
                    parameter.grad = None
    assert [step.loss for step in seen.steps] == losses
    assert np.allclose([sorted(norms(step.gradients)) for step in seen.steps], gradients, rtol=1e-5)
    assert seen.of(rows.OptimizerInfo)[0].name == "by hand"
    assert [row.tick for row in seen.of(rows.LedgerRow)] == [0, 1, 2, 3, 4]


def test_a_loop_with_autograd_grad():
    torch.manual_seed(0)
    weight = torch.randn(6, 3, requires_grad=True)
    x, y = batch()
    losses = []
    with Watching() as seen:
        for _ in range(4):
            loss = F.cross_entropy(x @ weight, y)
            (gradient,) = torch.autograd.grad(loss, [weight])
            losses.append(float(loss.detach()))
            weight.data -= 0.5 * gradient
    assert [step.loss for step in seen.steps] == losses


def test_accumulating_before_the_first_step_is_not_a_loop_by_hand():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Watching(model) as seen:
        for part in range(3):
            x, y = batch(part)
            F.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert [(step.optimizer, step.backwards) for step in seen.steps] == [(0, 3)]


def test_sparse_and_tied_and_missing_gradients():
    model = nn.Module()
    model.embed, model.head, model.idle = nn.Embedding(9, 4, sparse=True), nn.Linear(4, 9), nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Watching(model) as seen:
        for _ in range(2):
            optimizer.zero_grad()
            F.cross_entropy(model.head(model.embed(torch.tensor([1, 1, 5]))), torch.tensor([2, 3, 4])).backward()
            optimizer.step()
    counts = dict(zip(seen.names(), seen.steps[1].gradients["count"], strict=True))
    assert counts["embed.weight"] == 36
    assert counts["idle.weight"] == -1
    assert norms(seen.steps[1].gradients)[seen.names().index("embed.weight")] > 0


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing_is_left_alone(reentrant):
    calls = []

    class Counted(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(6, 6)

        def forward(self, x):
            calls.append(1)
            return torch.tanh(self.linear(x))

    inner, head = Counted(), nn.Linear(6, 3)
    model = nn.Sequential(inner, head)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = batch()
    x.requires_grad_()
    with Watching(model) as seen:
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(head(checkpoint(inner, x, use_reentrant=reentrant)), y).backward()
            optimizer.step()
    assert len(calls) == 6  # once forward, once recomputed, and never for us
    assert len(seen.steps) == 3


def test_compiled_models_get_no_module_hook():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hooks = []
    with Watching(model) as seen:
        compiled = torch.compile(model, backend="eager")
        for _ in range(3):
            hooks.append(len(torch_module._global_forward_hooks))
            train(compiled, optimizer, 1, *batch())
    assert hooks == [0, 0, 0]
    assert len(seen.steps) == 3
    assert len(seen.events("compiled")) == 1


def test_the_first_operation_that_made_a_nan_is_named():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, _ = batch()
    with Watching(model) as seen:
        for number in range(12):
            optimizer.zero_grad()
            output = model(x).softmax(1)
            if number == 11:
                output = output - output  # log(0) at a step that nothing foretells
            output.log().mul(output.detach()).sum().backward()
            optimizer.step()
    origin = seen.events("non_finite_origin")[0]
    assert origin.tick == 11
    assert (origin.data["op"], origin.data["direction"]) == ("Log", "forward")


def test_a_failure_inside_is_told_once_and_stops_nothing(monkeypatch):
    model = net()
    monkeypatch.setattr("gradclinic.capture.sampling.compare", lambda *_: 1 / 0)
    with Watching(model) as seen:
        losses, _ = train(model, torch.optim.SGD(model.parameters(), lr=0.1), 5, *batch())
    assert len(losses) == 5
    told = seen.events("capture_failure")
    assert len(told) == 1
    assert "ZeroDivisionError" in told[0].data["error"]


def test_starting_twice_is_starting_once():
    model = net()
    with Watching(model) as seen:
        monitor = Monitor(seen)
        monitor.start([model])
        monitor.start([model])
        monitor.stop()
        monitor.stop()
        train(model, torch.optim.SGD(model.parameters(), lr=0.1), 2, *batch())
    assert len(seen.steps) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_watches_nothing():
    with Watching() as seen:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            weight = torch.ones(2, requires_grad=True)
            optimizer = torch.optim.SGD([weight], lr=0.1)
            weight.sum().backward()
            optimizer.step()
            os.write(write, str(len(seen.steps)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 10) == b"0"


def test_two_optimizers_on_one_loss_share_it():
    model = net()
    first = torch.optim.SGD(model[0].parameters(), lr=0.1)
    second = torch.optim.Adam(model[2].parameters(), lr=0.1)
    x, y = batch()
    with Watching(model) as seen:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        first.step()
        second.step()
    assert [(step.loss, step.backwards) for step in seen.steps] == [
        (float(loss.detach()), 1),
        (float(loss.detach()), 0),
    ]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [("again", "step_after_scaler"), ("instead", "stepped_while_scaled"), ("", None)],
)
def test_a_step_beside_the_scaler_is_an_event(wrong, kind):
    events = Rows()
    monitor = Monitor(events)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    monitor.start([model])
    for _ in range(4):
        optimizer.zero_grad()
        scaler.scale(model(torch.ones(3, 2)).sum()).backward()
        if wrong != "instead":
            scaler.step(optimizer)
            scaler.update()
        if wrong:
            optimizer.step()
    monitor.stop()
    seen = [row.kind for row in events.of(rows.Event)]
    told = [name for name in seen if name in ("step_after_scaler", "stepped_while_scaled")]
    assert told == ([kind] if kind else [])
