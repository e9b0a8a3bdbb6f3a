"""Which way a loss moves probabilities: signs, weights and the names that the script gives them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from gradclinic.measure.replay import Probability, Tape, probabilities

torch.manual_seed(0)
NET = nn.Linear(8, 4)
X, LABELS = torch.randn(16, 8), torch.randint(0, 4, (16,))


def of(loss: Callable[[], Tensor]) -> list[Probability]:
    tape = Tape(lambda: "")
    tape.begin([X])
    value = loss()
    tape.close([value])
    tape.leave()
    return probabilities(tape.recording)


def test_a_likelihood_of_labels_has_the_sign_that_it_has_in_the_loss():
    def picked() -> Tensor:
        return F.log_softmax(NET(X), 1)[torch.arange(16), LABELS].mean()

    def gathered() -> Tensor:
        z = NET(X)
        return (z.gather(1, LABELS[:, None]).squeeze(1) - torch.logsumexp(z, 1)).mean()

    for likelihood in (picked, gathered, lambda: -F.cross_entropy(NET(X), LABELS)):
        assert of(likelihood) == [Probability(1, True)]
        assert of(lambda likelihood=likelihood: -2 * likelihood()) == [Probability(-1, True)]


def test_a_gaussian_with_a_learned_width_counts_by_its_square():
    def density() -> Tensor:
        out = NET(X)
        return Normal(out[:, :1], F.softplus(out[:, 1:2]) + 0.1).log_prob(X[:, :1]).mean()

    assert of(density) == [Probability(1, True)]
    assert of(lambda: -density()) == [Probability(-1, True)]
    assert of(lambda: (NET(X)[:, :1] - X[:, :1]).pow(2).mean()) == [Probability(-1, True)]


def policy(sign: int) -> Callable[[], Tensor]:
    def loss() -> Tensor:
        choice = Categorical(logits=NET(X))
        action = choice.sample()
        reward = (action == LABELS).float()
        advantage = reward - 0.1
        return sign * (choice.log_prob(action) * advantage).mean()

    return loss


def test_a_policy_is_weighed_with_what_the_script_calls_reward():
    assert of(policy(-1)) == [Probability(-1, False, (("reward", -1),), steady=False)]
    assert of(policy(1)) == [Probability(1, False, (("reward", 1),), steady=False)]


def test_a_weight_that_is_a_difference_names_both_sides():
    returns = torch.randn(16)

    def loss() -> Tensor:
        values = NET(X)[:, 0]
        advantage = values - returns
        choice = Categorical(logits=NET(X))
        return -(choice.log_prob(choice.sample()) * advantage.detach()).mean()

    assert of(loss)[0].names == (("returns", 1),)


def test_an_episode_written_as_a_loop_names_its_weights():
    def loss() -> Tensor:
        parts = []
        for row, R in zip(X[:3], torch.randn(3), strict=True):
            choice = Categorical(logits=NET(row))
            parts.append(-choice.log_prob(choice.sample()) * R)
        return torch.stack(parts).sum()

    assert {found.names for found in of(loss)} == {(("R", -1),)}


def test_what_is_no_probability_is_left_alone():
    assert of(lambda: NET(X).mean()) == []
    assert of(lambda: F.softmax(NET(X), 1).mul(F.log_softmax(NET(X), 1)).sum()) == []
