"""The account of networks of many kinds, and that taking it changes nothing and leaves nothing behind."""

from __future__ import annotations

import math
import threading
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules import module as module_globals
from torch.utils.checkpoint import checkpoint

from gradclinic.measure.ledger import SavedTensorsWatch, Scopes, measure, open_ledger

from .chains import account_of, chain, entry_of, total_norm


class Classifier(nn.Module):
    """Embedding, transformer layers and a head; with dropout, so that random numbers are in play."""

    def __init__(self, norm_first: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, 16)
        self.position = nn.Parameter(torch.randn(5, 16) * 0.1)
        layer = lambda: nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, norm_first=norm_first)  # noqa: E731
        self.layers = nn.ModuleList([layer(), layer()])
        self.head = nn.Linear(16, 3)

    def forward(self, tokens):
        h = self.embedding(tokens) + self.position
        for layer in self.layers:
            h = layer(h)
        return self.head(h.mean(1))


def text():
    return torch.randint(0, 10, (8, 5)), torch.randint(0, 3, (8,))


@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer(norm_first):
    torch.manual_seed(0)
    model, (x, y) = Classifier(norm_first), text()
    ledger = account_of(model, lambda: F.cross_entropy(model(x), y))
    entry = entry_of(ledger, "Embedding")
    assert entry.parameters == ("embedding.weight",)
    assert entry.kind == "weight"
    assert ledger.lines[-1].op == "Add"  # the positional embedding: the last operation before the lookup
    assert [e.module for e in ledger.entries if e.op == "NativeLayerNorm"] == [
        "layers.0.norm1", "layers.0.norm2", "layers.1.norm1", "layers.1.norm2"
    ]  # fmt: skip
    attention = [e for e in ledger.entries if "oftmax" in e.op and e.kind != "loss"]
    assert [e.kind for e in attention] == ["other", "other"]
    assert sum(line.join is not None for line in ledger.lines) == 4  # two residuals in each layer
    assert {e.op for e in ledger.entries if e.kind == "loss"} == {"LogSoftmax", "NllLoss"}
    assert ledger.residue <= 1e-6
    assert ledger.unseen == ()


def test_losses_gradients_and_random_numbers_stay_bit_identical():
    def train(watched: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Dropout())
        model.append(nn.Linear(4 * 36, 3))
        optimizer = torch.optim.Adam(model.parameters())
        trace = []
        for _ in range(4):
            x, y = torch.randn(8, 1, 8, 8), torch.randint(0, 3, (8,))
            optimizer.zero_grad()
            if watched:
                account_of(model, lambda x=x, y=y: trace.append(F.cross_entropy(model(x), y)) or trace[-1])
            else:
                trace.append(F.cross_entropy(model(x), y))
                trace[-1].backward()
            trace.extend(parameter.grad.clone() for parameter in model.parameters())
            optimizer.step()
        return trace

    for plain, watched in zip(train(False), train(True), strict=True):
        assert torch.equal(plain, watched)


def test_no_hook_is_left_behind():
    model, (x, y) = Classifier(True), text()
    scopes = Scopes({module: name for name, module in model.named_modules()}.get)
    scopes.attach()
    loss = F.cross_entropy(model(x), y)
    scopes.detach()
    assert not module_globals._global_forward_hooks
    assert not module_globals._global_forward_pre_hooks
    assert not module_globals._global_forward_hooks_always_called
    ledger = open_ledger([loss], scopes=scopes)
    first = ledger.close()
    loss.backward(retain_graph=True)
    ledger_again = open_ledger([loss], scopes=scopes)
    loss.backward(retain_graph=True)
    seen = ledger_again.close()
    loss.backward()  # after close: must not reach either
    assert ledger_again.close() is seen
    assert all(entry.grad_out is None for entry in first.entries)
    assert all(entry.grad_out is not None for entry in seen.entries)


def test_every_time_step_of_a_loop():
    """A tanh cell at spectral radius .5: the gradient shrinks by about ten to the .3 per step of time."""
    torch.manual_seed(0)
    cell, head = nn.RNNCell(4, 64), nn.Linear(64, 2)
    cell.weight_hh.data = 0.5 * torch.linalg.qr(torch.randn(64, 64)).Q
    nn.init.zeros_(cell.bias_ih)
    nn.init.zeros_(cell.bias_hh)
    model = nn.ModuleDict({"cell": cell, "head": head})
    x, y = torch.randn(6, 50, 4) * 0.01, torch.randint(0, 2, (6,))
    states = []

    def loss():
        h = torch.zeros(6, 64)
        for t in range(50):
            h = cell(x[:, t], h)
            h.retain_grad()
            states.append(h)
        return F.cross_entropy(head(h), y)

    ledger = account_of(model, loss)
    (recurrence,) = [r for r in ledger.recurrences if r.parameter == "cell.weight_hh"]
    assert len(recurrence.grad) == 50
    assert list(recurrence.sequences) == sorted(recurrence.sequences)
    assert math.log10(recurrence.grad[-1] / recurrence.grad[0]) == pytest.approx(49 * math.log10(2), abs=0.05)
    assert len([e for e in ledger.entries if e.op == "Tanh"]) == 50
    # The account goes back to the first time step, not to the last, which is nearer.
    by_hand = math.log10(recurrence.grad[0] / entry_of(ledger, "Addmm", "head").grad_out)
    assert ledger.total == pytest.approx(by_hand, abs=1e-6)
    tanh = [entry for entry in ledger.entries if entry.op == "Tanh"]
    assert [e.grad_out for e in tanh] == pytest.approx([total_norm(h.grad) for h in states], rel=1e-5)


@pytest.mark.parametrize("readout", ["all", "last", "state"])
@pytest.mark.parametrize("batch", [4, 19])
def test_inside_a_fused_lstm(readout, batch):
    """Held against the same LSTM as a loop of cells, whose hidden states keep their gradients."""
    torch.manual_seed(0)
    model, steps = nn.LSTM(3, 8, batch_first=True), 12
    x, direction = torch.randn(1, steps, 3).expand(batch, -1, -1), torch.randn(1, steps, 8).expand(batch, -1, -1)

    def read(outputs, hidden, cell):
        if readout == "state":
            return (hidden * direction[:, 0]).sum() + (cell * direction[:, 1]).sum()
        return (outputs * direction).sum() if readout == "all" else (outputs[:, -1] * direction[:, -1]).sum()

    def loss():
        outputs, (hidden, cell) = model(x)
        return read(outputs, hidden[0], cell[0])

    ledger = account_of(model, loss)
    if "MkldnnRnnLayer" not in {entry.op for entry in ledger.entries}:
        pytest.skip("this torch does not fuse LSTMs on this processor")
    cell = nn.LSTMCell(3, 8)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in model.state_dict().items()})
    h, c, states = torch.zeros(batch, 8), torch.zeros(batch, 8), []
    for t in range(steps):
        h, c = cell(x[:, t], (h, c))
        h.retain_grad()
        states.append(h)
    read(torch.stack(states, 1), h, c).backward()
    (recurrence,) = ledger.recurrences
    assert recurrence.parameter == "weight_hh_l0"
    assert list(recurrence.grad) == pytest.approx([total_norm(h.grad) for h in states], rel=1e-3, abs=1e-7)
    assert ledger.unseen == ()


def test_tied_weights_side_by_side_are_no_recurrence():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    ledger = account_of(model, lambda: sum(model(torch.randn(3, 4)).square().sum() for _ in range(5)))
    assert ledger.recurrences == ()


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointed_regions_are_not_recomputed(reentrant):
    runs = []

    class Counted(nn.Tanh):
        def forward(self, x):
            runs.append(1)
            return super().forward(x)

    model = nn.Sequential(nn.Linear(4, 4), Counted(), nn.Linear(4, 4), nn.Linear(4, 2))
    watch = SavedTensorsWatch()
    watch.install()
    try:
        h = checkpoint(model[1:3], model[0](torch.randn(5, 4)), use_reentrant=reentrant)
        loss = model[3](h).square().mean()
    finally:
        watch.remove()
    ledger = open_ledger([loss], saved_readable=watch.readable)
    assert len(runs) == 1  # opening read nothing of the region
    loss.backward()
    seen = ledger.close()
    assert len(runs) == 2  # once for the user's own backward
    assert any("checkpointed" in text for text in seen.unseen)
    assert seen.total is not None


def test_offloaded_tensors_are_left_alone():
    unpacked = []
    x = torch.randn(3, 3, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: unpacked.append(1) or t):
        loss = (x @ x).exp().sum()
    ledger = open_ledger([loss], saved_readable=False)
    assert unpacked == []
    loss.backward()
    ledger.close()


def test_functional_network_without_modules():
    torch.manual_seed(0)
    w1 = torch.randn(6, 8, requires_grad=True)
    b1 = torch.zeros(8, requires_grad=True)
    w2 = torch.randn(8, 1, requires_grad=True)
    names = {id(w1): "w1", id(b1): "b1", id(w2): "w2"}
    x, y = torch.randn(10, 6), torch.randn(10, 1)
    loss = ((torch.tanh(x @ w1 + b1) @ w2 - y) ** 2).mean()
    ledger = open_ledger([loss], names=lambda tensor: names.get(id(tensor)))
    loss.backward()
    seen = ledger.close()
    kinds = [(entry.op, entry.kind) for entry in seen.entries]
    assert kinds == [
        ("Mm", "weight"), ("Add", "other"), ("Tanh", "activation"), ("Mm", "weight"),
        ("Sub", "loss"), ("Pow", "loss"), ("Mean", "loss"),
    ]  # fmt: skip
    assert seen.entries[0].parameters == ("w1",)
    assert seen.entries[0].fan_in == 6
    assert [line.op for line in seen.lines if line.kind != "loss"] == ["Mm", "Tanh", "Add"]


def test_paths_without_recorded_scopes():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    ledger = account_of(model, lambda: model(torch.randn(3, 4)).square().mean(), with_scopes=False)
    assert [entry.module for entry in ledger.entries] == ["0", "after 0", "2", "", ""]


def test_parameters_behind_preparation_are_parameters():
    """Weight norm, spectral norm and a cast lead to leaves; none of them is taken for a layer."""
    model = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(5, 4)),
        nn.Tanh(),
        nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)),
    )
    ledger = account_of(model, lambda: model(torch.randn(6, 5)).square().mean())
    assert [entry.op for entry in ledger.entries] == ["Addmm", "Tanh", "Addmm", "Pow", "Mean"]
    assert {name.rpartition(".")[2] for name in ledger.entries[0].parameters} == {"bias", "original0", "original1"}
    assert ledger.entries[2].inputs == (ledger.entries[1].sequence,)


def test_a_low_rank_addition_to_a_weight_is_a_parameter():
    """LoRA merged: x (W + A B)ᵀ.  The product A B is no layer."""
    model = nn.ParameterDict({"w": torch.randn(4, 4), "a": torch.randn(4, 2), "b": torch.randn(2, 4)})
    first, x = nn.Linear(3, 4), torch.randn(5, 3)
    ledger = measure(F.linear(first(x).tanh(), model["w"] + model["a"] @ model["b"]).square().mean(), model)
    assert [entry.op for entry in ledger.entries] == ["Addmm", "Tanh", "Mm", "Pow", "Mean"]
    assert set(ledger.entries[2].parameters) == {"w", "a", "b"}


def test_frozen_layers_and_an_input_that_wants_a_gradient():
    model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 2)).requires_grad_(False)
    x = torch.randn(3, 5, requires_grad=True)
    ledger = account_of(model, lambda: model(x).sum())
    assert [entry.kind for entry in ledger.entries] == ["weight", "activation", "weight", "loss"]
    assert ledger.total is not None


def test_huge_and_tiny_gradients_have_right_norms():
    for scale in (1e20, 1e-30):
        model = nn.Linear(4, 3)
        ledger = account_of(model, lambda model=model, scale=scale: (model(torch.ones(2, 4)) * scale).sum())
        assert entry_of(ledger, "Addmm").grad_out == pytest.approx(scale * math.sqrt(6), rel=1e-5)


def test_non_finite_gradients_are_counted_and_left_out():
    x = torch.tensor([0.0, 1.0, 4.0], requires_grad=True)
    loss = (x * torch.ones(3)).sqrt().sum()
    ledger = open_ledger([loss])
    loss.backward()
    entry = entry_of(ledger.close(), "Sqrt")
    assert (entry.non_finite_in, entry.non_finite_out) == (0, 1)
    assert entry.grad_in == pytest.approx(math.hypot(0.5, 0.25))


def test_five_thousand_operations_deep():
    x = torch.randn(2, 2, requires_grad=True)
    h = x
    for _ in range(5000):
        h = h.sin()
    ledger = measure(h.sum())
    assert len(ledger.entries) == 5001
    assert ledger.residue <= 1e-6


def test_double_backward_and_create_graph():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(5, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    ledger = account_of(model, lambda: (slope.norm(dim=1) - 1).square().mean())
    assert ledger.entries
    assert ledger.residue <= 1e-6
    assert not any("failed" in text for text in ledger.unseen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, on reference cycles
        again = measure(model(x).sum(), model, create_graph=True)
    assert not any("failed" in text for text in again.unseen)


def test_two_roots_and_a_root_without_a_graph():
    shared, left, right = nn.Linear(3, 4), nn.Linear(4, 1), nn.Linear(4, 1)
    h = shared(torch.randn(5, 3))
    roots = [left(h).sum(), right(h).mean()]
    ledger = open_ledger([*roots, torch.zeros(())])
    torch.autograd.backward(roots)
    seen = ledger.close()
    assert sum(entry.op == "Addmm" for entry in seen.entries) == 3
    assert seen.total is not None
    leaf = torch.ones((), requires_grad=True)
    ledger = open_ledger([leaf])
    leaf.backward()
    assert ledger.close().entries == ()


def test_sparse_and_complex_gradients():
    embedding = nn.Embedding(10, 4, sparse=True)
    ledger = account_of(embedding, lambda: embedding(torch.tensor([[1, 2], [1, 3]])).sum())
    assert entry_of(ledger, "Embedding").grad_out == pytest.approx(4.0)
    z = torch.randn(4, 4, dtype=torch.complex64, requires_grad=True)
    seen = measure((z @ z).abs().sum())
    assert entry_of(seen, "Mm").grad_out == pytest.approx(4.0, rel=1e-5)


def test_a_tensor_changed_in_place_does_not_stop_the_account():
    w = torch.randn(4, 4, requires_grad=True)
    h = (torch.randn(3, 4) @ w).tanh()
    loss = h.sum()
    with torch.no_grad():
        h.add_(1)  # the saved result is stale: the user's backward will raise, the account must not
    ledger = open_ledger([loss])
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        loss.backward()
    assert ledger.close().entries


def test_model_that_computes_its_own_loss():
    class WithLoss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(4, 3)

        def forward(self, x, y):
            return F.cross_entropy(torch.sigmoid(self.body(x)), y)

    model = WithLoss()
    ledger = account_of(model, lambda: model(torch.randn(6, 4), torch.randint(0, 3, (6,))))
    assert [(entry.op, entry.kind) for entry in ledger.entries] == [
        ("Addmm", "weight"), ("Sigmoid", "activation"), ("LogSoftmax", "loss"), ("NllLoss", "loss")
    ]  # fmt: skip


def test_another_threads_backward_keeps_its_own_account():
    found = {}

    def work(name: str, depth: int) -> None:
        torch.manual_seed(0)
        model = chain(nn.Tanh, 1.0, depth=depth, width=8)
        found[name] = measure(model(torch.randn(4, 64)).square().sum(), model)

    threads = [threading.Thread(target=work, args=(str(depth), depth)) for depth in (3, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sum(e.op == "Tanh" for e in found[name].entries) for name in ("3", "5")] == [3, 5]
