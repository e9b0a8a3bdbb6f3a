import torch
from torch import nn

from gradclinic.capture.scaling import ScalerWatch
from gradclinic.capture.steps import StepWatch


class Heard:
    def __init__(self):
        self.said = []

    def step_skipped(self, optimizer, scale):
        self.said.append(("skipped", scale))


class Harness:
    """A scaler watch that hears of real steps, as it does inside a monitor."""

    def __enter__(self):
        self.heard = Heard()
        self.scaling = ScalerWatch(self.heard)
        self.steps = StepWatch(self)
        self.scaling.attach()
        self.steps.attach()
        return self

    def __exit__(self, *_):
        self.scaling.detach()
        self.steps.detach()

    def step_begins(self, optimizer, has_closure):
        pass

    def step_ends(self, optimizer, has_closure):
        wrong = self.scaling.optimizer_stepped(optimizer)
        if wrong is not None:
            self.heard.said.append(wrong)


def training(scale=4.0):
    model = nn.Linear(2, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), torch.amp.GradScaler("cpu", init_scale=scale)


def test_the_loss_is_seen_as_the_user_computed_it():
    model, _, scaler = training()
    with Harness() as seen:
        loss = model(torch.ones(1, 2)).sum()
        assert torch.equal(seen.scaling.unscaled(scaler.scale(loss)), loss.detach())
        assert seen.scaling.scale() == 4.0
        assert seen.scaling.unscaled(loss) is loss


def test_a_skipped_step_is_told_and_a_real_one_is_not():
    model, optimizer, scaler = training()
    with Harness() as seen:
        scaler.scale(model(torch.ones(1, 2)).sum() * float("inf")).backward()
        scaler.step(optimizer)
        scaler.update()
        assert seen.heard.said == [("skipped", 4.0)]
        optimizer.zero_grad()
        scaler.scale(model(torch.ones(1, 2)).sum()).backward()
        scaler.step(optimizer)
        assert seen.heard.said == [("skipped", 4.0)]


def test_knows_when_gradients_are_still_scaled():
    model, optimizer, scaler = training()
    with Harness() as seen:
        scaler.scale(model(torch.ones(1, 2)).sum()).backward()
        assert seen.scaling.still_scaled()
        scaler.unscale_(optimizer)
        assert not seen.scaling.still_scaled()
        scaler.step(optimizer)
        scaler.update()


def test_a_second_step_behind_the_scalers_back_is_told():
    model, optimizer, scaler = training()
    with Harness() as seen:
        scaler.scale(model(torch.ones(1, 2)).sum()).backward()
        scaler.step(optimizer)
        optimizer.step()
        assert seen.heard.said == ["step_after_scaler"]


def test_a_step_along_scaled_gradients_is_told():
    model, optimizer, scaler = training()
    with Harness() as seen:
        loss = scaler.scale(model(torch.ones(1, 2)).sum())
        seen.scaling.backward_begins([loss])
        loss.backward()
        optimizer.step()
        assert seen.heard.said == ["stepped_while_scaled"]


def test_a_step_along_unscaled_ones_is_not():
    model, optimizer, scaler = training()
    other = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    with Harness() as seen:
        loss = scaler.scale(model(torch.ones(1, 2)).sum())
        seen.scaling.backward_begins([loss])
        loss.backward()
        scaler.unscale_(optimizer)
        optimizer.step()
        # A loss that was never scaled, in the same script.
        loss = model(torch.ones(1, 2)).sum()
        seen.scaling.backward_begins([loss])
        other.step()
        assert seen.heard.said == []


def test_a_disabled_scaler_says_nothing():
    model, optimizer, _ = training()
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    with Harness() as seen:
        loss = scaler.scale(model(torch.ones(1, 2)).sum())
        loss.backward()
        scaler.step(optimizer)
        assert (seen.heard.said, seen.scaling.scale(), seen.scaling.still_scaled()) == ([], None, False)
