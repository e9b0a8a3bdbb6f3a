import torch
from torch import nn

from gradclinic.capture import Monitor


class Events:
    def __init__(self):
        self.kinds = []

    def put(self, row):
        if hasattr(row, "kind"):
            self.kinds.append(row.kind)


def told(train, *models):
    events = Events()
    monitor = Monitor(events)
    monitor.start(models)
    train()
    monitor.stop()
    return events.kinds.count("gradient_not_cleared")


def model_and_optimizer(lr=0.01):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    return model, torch.optim.SGD(model.parameters(), lr=lr)


def loss(model, seed=0):
    return model(torch.randn(8, 3, generator=torch.Generator().manual_seed(seed))).pow(2).mean()


def test_a_forgotten_zero_grad_is_told_once():
    model, optimizer = model_and_optimizer()

    def train():
        for step in range(8):
            loss(model, step).backward()
            optimizer.step()

    assert told(train, model) == 1


def test_clearing_before_or_after_and_in_place_is_clearing():
    for clear in (
        lambda optimizer: optimizer.zero_grad(),
        lambda optimizer: optimizer.zero_grad(set_to_none=False),
        lambda optimizer: [p.grad.zero_() for g in optimizer.param_groups for p in g["params"] if p.grad is not None],
    ):
        model, optimizer = model_and_optimizer()

        def train(model=model, optimizer=optimizer, clear=clear):
            for step in range(8):
                clear(optimizer)
                loss(model, step).backward()
                optimizer.step()

        assert told(train, model) == 0


def test_a_gradient_that_the_script_writes_itself_is_not_kept():
    # Differentially private training: gradients of single samples by torch.func, summed and put into .grad.
    model, optimizer = model_and_optimizer()

    def train():
        for _ in range(8):
            for p in model.parameters():
                p.grad = torch.ones_like(p)
            optimizer.step()

    assert told(train, model) == 0


def test_accumulation_is_not_forgetting():
    model, optimizer = model_and_optimizer()

    def train():
        for step in range(24):
            (loss(model, step) / 4).backward()
            if step % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()

    assert told(train, model) == 0


def test_two_optimizers_that_clear_in_their_own_turn():
    first, one = model_and_optimizer()
    second, two = model_and_optimizer()

    def train():
        for step in range(8):
            one.zero_grad()
            loss(first, step).backward()
            one.step()
            two.zero_grad()
            (loss(second, step) + loss(first, step)).backward()  # adds to the first model's gradients
            two.step()

    assert told(train, first, second) == 0


def test_a_closure_that_clears():
    model, _ = model_and_optimizer()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure():
        optimizer.zero_grad()
        value = loss(model)
        value.backward()
        return value

    assert told(lambda: [optimizer.step(closure) for _ in range(8)], model) == 0


def test_a_gradient_of_which_a_part_is_carried_on_is_not_forgotten():
    model, optimizer = model_and_optimizer()

    def train():
        for step in range(8):
            loss(model, step).backward()
            optimizer.step()
            for parameter in model.parameters():
                parameter.grad.mul_(0.8)

    assert told(train, model) == 0


def test_a_gradient_that_the_script_puts_in_the_place_of_the_last_is_not_added_to():
    model, _ = model_and_optimizer()
    masters = [parameter.detach().clone().requires_grad_() for parameter in model.parameters()]
    optimizer = torch.optim.SGD(masters, lr=0.01)

    def train():
        for step in range(8):
            model.zero_grad()
            loss(model, step).backward()
            for master, parameter in zip(masters, model.parameters(), strict=True):
                master.grad = parameter.grad.clone()
            optimizer.step()

    assert told(train, model) == 0
