import pytest
from torch.nn.modules import module


@pytest.fixture(autouse=True)
def no_hook_survives():
    """Every test here must leave torch as it found it."""
    yield
    left = {name: len(hooks) for name, hooks in vars(module).items() if name.startswith("_global_") and hooks}
    assert not left
