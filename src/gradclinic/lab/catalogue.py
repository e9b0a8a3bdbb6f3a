"""The experiments by name.  A file each under ``experiments/``, imported when it is used: most of them want torch."""

from __future__ import annotations

import difflib
from importlib import import_module
from importlib.util import find_spec

from gradclinic import UserError

from .experiment import Experiment

#: Name → what it is about, in the order in which the literature tells the story.
NAMES = {
    "gradient-descent": "the worked example, by every optimizer",
    "sigmoid-vs-relu": "what activation and weight scale leave of the gradient (Glorot 2010)",
    "init": "Kaiming's initialisation against Xavier's, by depth (He 2015)",
    "depth-scale": "how deep tanh networks train: the theory's depth scale (Schoenholz 2017)",
    "isometry": "singular values of deep Jacobians, Gaussian and orthogonal weights (Pennington 2017)",
    "batchnorm-explosion": "gradients grow with depth under batch normalisation (Yang 2019)",
    "shortcuts": "plain, ResNet and DenseNet by depth; shattered gradients (He 2016, Balduzzi 2017)",
    "edge-of-stability": "the sharpness of full-batch training against the limit (Cohen 2021, 2022)",
    "clipping": "recurrent networks and the cliffs of their loss (Pascanu 2013)",
    "lstm-gates": "how far back plain, LSTM and GRU see (Hochreiter 1997, Jozefowicz 2015)",
    "pre-post-norm": "transformers by depth, the norm before or behind (Noci 2022, Xiong 2020)",
    "skip-gram": "word2vec's sparse gradients, and what its products mean (Mikolov 2013, Levy 2014)",
    "transfer": "what a task learned is worth to another (Yosinski 2014)",
}
#: What the experiments need beside gradclinic's core.
NEEDS = {"torch": "torch", "sklearn": "scikit-learn"}


def find(name: str) -> Experiment:
    """The experiment of this name.

    Raises:
        UserError: there is none, or what it needs is not installed.
    """
    if name not in NAMES:
        close = difflib.get_close_matches(name, NAMES, n=1)
        known = f"did you mean {close[0]!r}?" if close else f"the experiments are {', '.join(NAMES)}"
        raise UserError(f"no such experiment: {name!r}; {known}")
    missing = [package for module, package in NEEDS.items() if find_spec(module) is None]
    if missing:
        raise UserError(f"the lab needs {' and '.join(missing)}: pip install 'gradclinic[demo]'")
    found: Experiment = import_module(f".experiments.{name.replace('-', '_')}", __package__).EXPERIMENT
    return found
