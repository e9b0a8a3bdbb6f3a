import copy

import pytest
import torch
from torch import nn

from gradclinic.cure.guard import shelf as module
from gradclinic.cure.guard.decision import Patient
from gradclinic.cure.guard.shelf import TRUSTED_AFTER, Shelf
from gradclinic.cure.guard.snapshot import Subject


@pytest.fixture(params=["memory", "disk"])
def shelf(request, tmp_path):
    made = Shelf(None if request.param == "memory" else tmp_path)
    yield made
    made.close()
    assert list(tmp_path.iterdir()) == []


def training():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    return model, Subject((model,), (optimizer,))


def test_it_goes_back_to_the_newest_state_that_is_old_enough(shelf):
    model, subject = training()
    weights = {}
    for tick in (0, 100, 200):
        with torch.no_grad():
            model[0].weight.fill_(tick)
        weights[tick] = copy.deepcopy(model.state_dict())
        shelf.put(tick, subject, None, [], {0: Patient(broken=tick)})
    with torch.no_grad():
        model[0].weight.fill_(float("nan"))
    state = shelf.good(200 + TRUSTED_AFTER - 1)
    assert (state.tick, state.patients[0].broken) == (100, 100)
    state.restore(generators=True)
    assert all(torch.equal(weights[100][key], value) for key, value in model.state_dict().items())
    assert shelf.good(200 + TRUSTED_AFTER).tick == 200  # to have been asked changes nothing
    # Once it has gone back, the one that was too young is gone for good; the next one takes its place.
    shelf.forget_after(state)
    assert shelf.good(10**6).tick == 100
    shelf.put(300, subject, None, [], {})
    assert shelf.good(300 + TRUSTED_AFTER).tick == 300
    assert shelf.good(300 + TRUSTED_AFTER - 1).tick == 100


def test_an_only_state_is_better_than_none(shelf):
    assert shelf.good(5) is None
    shelf.put(0, training()[1], None, [], {})
    assert shelf.good(1).tick == 0
    shelf.clear()
    assert shelf.good(1) is None


def test_files_are_those_of_two_states(tmp_path):
    shelf = Shelf(tmp_path)
    subject = training()[1]
    for tick in range(0, 500, 100):
        shelf.put(tick, subject, None, [], {})
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["300", "400"]
    shelf.close()


def test_it_says_where_there_is_no_room(shelf, monkeypatch):
    subject = training()[1]
    assert shelf.room(subject) is None
    monkeypatch.setattr(module, "free", lambda _: 4 * subject.bytes() - 1)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 4 * subject.bytes() - 1}))
    assert "more than half of what is free" in shelf.room(subject)


def test_the_draws_are_repeated_only_where_asked(shelf):
    subject = training()[1]
    shelf.put(0, subject, None, [], {})
    first = torch.rand(1)
    shelf.good(100).restore(generators=False)
    assert not torch.equal(torch.rand(1), first)
    shelf.good(100).restore(generators=True)
    assert torch.equal(torch.rand(1), first)
