"""The remedies, one file each; the tuple is all there are, with those of other packages."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import entry_points

from gradclinic.errors import UserError

from ..remedy import FAMILIES, Remedy
from .activation_swap import ActivationSwap
from .critical_init import CriticalInit
from .descend import Descend
from .discriminative_rates import DiscriminativeRates
from .dropout import Dropout
from .epsilon import Epsilon
from .forget_bias import ForgetBias
from .gradient_clipping import GradientClipping
from .input_standardization import InputStandardization
from .kaiming_init import KaimingInit
from .learning_rate import LearningRate
from .loss_scaling import LossScaling
from .lr_schedule import LearningRateSchedule
from .lsuv_init import LsuvInit
from .momentum import Momentum
from .normalization import Normalization
from .optimizer import OptimizerChange
from .orthogonal_init import OrthogonalInit
from .orthogonal_recurrence import OrthogonalRecurrence
from .output_activation import OutputActivation
from .pre_norm import PreNorm
from .pretrained_weights import PretrainedWeights
from .raise_precision import RaisePrecision
from .residual_scaling import ResidualScaling
from .shortcuts import Shortcuts
from .stochastic_rounding import StochasticRounding
from .target_standardization import TargetStandardization
from .unfreeze import Unfreeze
from .warmup import Warmup
from .weight_decay import WeightDecay
from .weight_rescale import WeightRescale
from .xavier_init import XavierInit

BUILT_IN: tuple[Remedy, ...] = (
    Unfreeze(),
    RaisePrecision(),
    LossScaling(),
    StochasticRounding(),
    InputStandardization(),
    TargetStandardization(),
    OutputActivation(),
    ActivationSwap(),
    Normalization(),
    PreNorm(),
    Shortcuts(),
    ResidualScaling(),
    OrthogonalRecurrence(),
    ForgetBias(),
    KaimingInit(),
    XavierInit(),
    OrthogonalInit(),
    CriticalInit(),
    LsuvInit(),
    WeightRescale(),
    PretrainedWeights(),
    OptimizerChange(),
    Epsilon(),
    Descend(),
    Momentum(),
    WeightDecay(),
    Dropout(),
    LearningRate(),
    Warmup(),
    LearningRateSchedule(),
    DiscriminativeRates(),
    GradientClipping(),
)
GROUP = "gradclinic.remedies"


@cache
def all_remedies() -> tuple[Remedy, ...]:
    """The built-in ones, and those that other packages register as entry points.

    Raises:
        UserError: two have the same identifier, or one has no known family.
    """
    found = [*BUILT_IN, *(point.load()() for point in entry_points(group=GROUP))]
    names = [remedy.id for remedy in found]
    for remedy in found:
        if names.count(remedy.id) > 1:
            raise UserError(f"two remedies are called {remedy.id!r}")
        if remedy.family not in FAMILIES:
            raise UserError(f"the remedy {remedy.id!r} is of no known family: {remedy.family!r}")
    return tuple(found)


def find_remedy(name: str) -> Remedy:
    """The remedy of that identifier.

    Raises:
        UserError: there is none.
    """
    known = {remedy.id: remedy for remedy in all_remedies()}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the remedies are {', '.join(known)}"
        raise UserError(f"no such remedy: {name!r}; {hint}")
    return known[name]
