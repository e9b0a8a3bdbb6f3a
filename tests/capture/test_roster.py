import gc

import torch
from torch import nn

from gradclinic.capture.roster import Roster
from gradclinic.schema.record import OptimizerInfo, ParameterInfo


def enlisted(optimizer, roster=None, **kwargs):
    roster = Roster() if roster is None else roster
    rows = list(roster.enlist(optimizer, **kwargs))
    return (
        roster,
        [row for row in rows if isinstance(row, OptimizerInfo)],
        [row for row in rows if isinstance(row, ParameterInfo)],
    )


def only(model):
    """A roster that knows this model alone, whatever else is alive in the test process."""
    roster = Roster()
    roster.discover([model])
    return roster


def test_names_parameters_as_the_model_does():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 2)))
    _, optimizers, parameters = enlisted(torch.optim.Adam(model.parameters(), lr=0.5), only(model))
    assert [row.name for row in parameters] == [name for name, _ in model.named_parameters()]
    assert [(row.module, row.module_type, row.fan_in) for row in parameters] == [
        ("0", "Linear", 4), ("0", "Linear", None), ("2.0", "Linear", 3), ("2.0", "Linear", None),
    ]  # fmt: skip
    assert optimizers[0].name == "Adam"
    assert optimizers[0].groups[0]["lr"] == 0.5
    assert "params" not in optimizers[0].groups[0]


def test_finds_a_model_that_nobody_named():
    model = nn.Sequential(nn.Linear(4, 3))
    _, _, parameters = enlisted(torch.optim.SGD(model.parameters(), lr=0.1))
    assert [row.name.split(".")[-1] for row in parameters] == ["weight", "bias"]
    assert all(row.module_type == "Linear" for row in parameters)


def test_tied_weights_are_one_parameter_with_two_names():
    model = nn.Module()
    model.embed, model.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
    model.head.weight = model.embed.weight
    _, _, parameters = enlisted(torch.optim.SGD(model.parameters(), lr=0.1), only(model))
    assert [(row.name, row.aliases) for row in parameters] == [("embed.weight", ("head.weight",))]


def test_parameters_that_no_optimizer_holds_are_listed():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    _, _, parameters = enlisted(torch.optim.SGD(model[1].parameters(), lr=0.1), only(model))
    assert {row.name: row.optimizer for row in parameters} == {
        "1.weight": 0, "1.bias": 0, "0.weight": None, "0.bias": None,
    }  # fmt: skip


def test_wrappers_leave_no_trace_in_names():
    class DataParallelLike(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    model = DataParallelLike(nn.Sequential(nn.Linear(2, 2)))
    _, _, parameters = enlisted(torch.optim.SGD(model.parameters(), lr=0.1), only(model))
    assert [row.name for row in parameters] == ["0.weight", "0.bias"]


def test_a_parameter_group_added_later_is_taken_in():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    optimizer = torch.optim.SGD(model[0].parameters(), lr=0.1)
    roster, *_ = enlisted(optimizer, only(model))
    assert roster.optimizer_index(optimizer) == 0
    optimizer.add_param_group({"params": list(model[1].parameters()), "lr": 0.01})
    assert roster.optimizer_index(optimizer) is None
    enlisted(optimizer, roster)
    assert roster.optimizer_index(optimizer) == 0
    assert roster.owners == [0, 0, 0, 0]


def test_keeps_no_model_alive():
    model = nn.Sequential(nn.Linear(2, 2))
    roster = only(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    list(roster.enlist(optimizer))
    del model, optimizer
    gc.collect()
    assert roster.tensors() == [None, None]


def test_plain_tensors_are_named_by_the_scripts_variables(monkeypatch):
    import __main__

    weight = torch.randn(3, 2, requires_grad=True)
    layers = [torch.randn(2, requires_grad=True)]
    monkeypatch.setattr(__main__, "W1", weight, raising=False)
    monkeypatch.setattr(__main__, "layers", layers, raising=False)
    _, _, parameters = enlisted(torch.optim.SGD([weight, *layers], lr=0.1))
    assert [(row.name, row.fan_in) for row in parameters] == [("W1", 3), ("layers[0]", None)]
