"""As long as nothing happens, a guarded training is the unguarded one to the bit, states kept included."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import gradclinic
from gradclinic.cure.guard import pace
from gradclinic.cure.guard.shelf import Shelf

STEPS = 120  # past the warm-up of both statistics, with at least two states kept


def net(*extra):
    return nn.Sequential(nn.Linear(16, 32), *extra, nn.ReLU(), nn.Linear(32, 4))


def batches():
    x = torch.randn(256, 16)
    y = x[:, :4].argmax(1)
    for _ in range(STEPS):
        rows = torch.randint(0, 256, (64,))
        yield x[rows], y[rows]


def plain(make, model=None, schedule=None):
    model = model or net(nn.BatchNorm1d(32), nn.Dropout(0.2))
    optimizer = make(model.parameters())
    scheduler = schedule and schedule(optimizer)
    for x, y in batches():
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        yield loss


def sgd():
    yield from plain(lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True))


def adamw_with_a_schedule():
    def one_cycle(optimizer):
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=STEPS)

    yield from plain(torch.optim.AdamW, schedule=one_cycle)


def fused():
    yield from plain(lambda p: torch.optim.Adam(p, fused=True))


def scaled(make):
    model = net()
    optimizer = make(model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=10)  # the first scales overflow
    for x, y in batches():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        yield loss
        yield torch.tensor(scaler.get_scale())


def amp():
    yield from scaled(lambda p: torch.optim.Adam(p, lr=1e-3))


def amp_fused():
    yield from scaled(lambda p: torch.optim.Adam(p, lr=1e-3, fused=True))


def accumulation():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        for step, (x, y) in enumerate(batches()):
            loss = F.cross_entropy(model(x), y) / 4
            loss.backward()
            if step % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()
            yield loss


def closures():
    model = net()
    optimizer = torch.optim.Adam(model.parameters())
    for x, y in batches():

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss

        yield optimizer.step(closure)


def lbfgs():
    model = net().double()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4, line_search_fn="strong_wolfe")
    x = torch.randn(64, 16, dtype=torch.float64)

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), x[:, :4])
        loss.backward()
        return loss

    for _ in range(30):
        yield optimizer.step(closure)


def sparse():
    model = nn.Sequential(nn.EmbeddingBag(50, 8, sparse=True), nn.Linear(8, 4))
    tables = torch.optim.SparseAdam(model[0].parameters(), lr=0.01)
    rest = torch.optim.SGD(model[1].parameters(), lr=0.1)
    for _ in range(STEPS):
        words = torch.randint(0, 50, (32, 6))
        loss = F.cross_entropy(model(words), words[:, 0] % 4)
        tables.zero_grad()
        rest.zero_grad()
        loss.backward()
        tables.step()
        rest.step()
        yield loss


def gan():
    maker, judge = nn.Linear(4, 16), nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1))
    making, judging = (torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.5, 0.999)) for m in (maker, judge))
    for x, _ in batches():
        made = maker(torch.randn(64, 4))
        ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)
        loss = F.binary_cross_entropy_with_logits(judge(x), ones)
        loss = loss + F.binary_cross_entropy_with_logits(judge(made.detach()), zeros)
        judging.zero_grad()
        loss.backward()
        judging.step()
        yield loss
        loss = F.binary_cross_entropy_with_logits(judge(made), ones)
        making.zero_grad()
        loss.backward()
        making.step()
        yield loss


@pytest.mark.parametrize(
    "train", [sgd, adamw_with_a_schedule, fused, amp, amp_fused, accumulation, closures, lbfgs, sparse, gan]
)
@pytest.mark.parametrize("disk", [False, True], ids=["memory", "disk"])
def test_losses_are_the_same(train, disk, tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(pace, "SHARE", 1e9)  # as often as it may, on however slow a disk
    put = Shelf.put
    monkeypatch.setattr(Shelf, "put", lambda self, *args: (kept.append(args[0]), put(self, *args))[1])
    torch.manual_seed(1)
    unguarded = [loss.item() for loss in train()]
    torch.manual_seed(1)
    guard = gradclinic.Guard(folder=tmp_path / "states" if disk else None)
    with gradclinic.watch(out=tmp_path, show=False, html=False, guard=guard) as monitor:
        guarded = [loss.item() for loss in train()]
    assert guarded == unguarded
    told = monitor.report.to_dict()["run"]["guard"]
    assert told["acts"] == []
    assert (len(kept) >= 2) is (train is not lbfgs)  # which is left alone
    assert not disk or list((tmp_path / "states").iterdir()) == []
