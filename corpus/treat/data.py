"""What the tasks learn: small real tables, images and text that ship with scikit-learn and Python, and made sequences.

Every set is split once, always alike, into a part to train on and a part held out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pydoc_data.topics import topics

import torch
from sklearn import datasets
from torch import Tensor
from torch.nn import functional as F

#: Share that is trained on.
SHARE = 0.7
#: Letters of the text; all others are one more.
ALPHABET = " abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Data:
    """Inputs and targets, in memory."""

    inputs: Tensor
    targets: Tensor  #: whole numbers are classes
    held_inputs: Tensor
    held_targets: Tensor
    outputs: int  #: width of the model's output

    @property
    def classes(self) -> bool:
        """Whether the targets are classes."""
        return not self.targets.is_floating_point()

    def scaled(self, inputs: float = 1.0, targets: float = 1.0, offset: float = 0.0) -> Data:
        """In other units, as a user may have them."""
        return Data(
            self.inputs * inputs,
            self.targets if self.classes else self.targets * targets + offset,
            self.held_inputs * inputs,
            self.held_targets if self.classes else self.held_targets * targets + offset,
            self.outputs,
        )


def _split(inputs: Tensor, targets: Tensor, outputs: int) -> Data:
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(1))
    own, held = order[: int(SHARE * len(order))], order[int(SHARE * len(order)) :]
    return Data(inputs[own], targets[own], inputs[held], targets[held], outputs)


def _classes(inputs: object, labels: object) -> Data:
    targets = torch.as_tensor(labels).long()
    return _split(torch.as_tensor(inputs).float(), targets, int(targets.max()) + 1)


def _numbers(inputs: object, targets: object) -> Data:
    wanted = torch.as_tensor(targets).float()
    return _split(torch.as_tensor(inputs).float(), wanted.reshape(len(wanted), -1), wanted[0].numel())


@cache
def circles() -> Data:
    """1000 points on two rings."""
    return _classes(*datasets.make_circles(1000, noise=0.1, factor=0.4, random_state=0))


@cache
def blobs() -> Data:
    """1000 points in three clouds."""
    return _classes(*datasets.make_blobs(1000, centers=3, n_features=2, cluster_std=1.2, random_state=2))


@cache
def digits() -> Data:
    """1797 images as rows of 64 between 0 and 1, 10 classes."""
    images, labels = datasets.load_digits(return_X_y=True)
    return _classes(images / 16, labels)


@cache
def digit_images() -> Data:
    """The same as (1, 8, 8)."""
    return _reshaped(digits(), 1, 8, 8)


@cache
def digit_rows() -> Data:
    """The same as sequences of 8 rows of 8."""
    return _reshaped(digits(), 8, 8)


@cache
def digit_pixels() -> Data:
    """The same as sequences of 32 pairs of pixels."""
    return _reshaped(digits(), 32, 2)


@cache
def digit_patches() -> Data:
    """The same as 16 patches of 2 x 2."""
    own = digits()

    def cut(images: Tensor) -> Tensor:
        return F.unfold(images.view(-1, 1, 8, 8), 2, stride=2).transpose(1, 2).contiguous()

    return Data(cut(own.inputs), own.targets, cut(own.held_inputs), own.held_targets, own.outputs)


@cache
def same_digits() -> Data:
    """Images to be given back."""
    own = digits()
    return Data(own.inputs, own.inputs, own.held_inputs, own.held_inputs, 64)


@cache
def wine() -> Data:
    """178 rows of 13 columns in their own units, 3 classes."""
    return _classes(*datasets.load_wine(return_X_y=True))


@cache
def cancer() -> Data:
    """569 rows of 30 columns in their own units, 2 classes."""
    return _classes(*datasets.load_breast_cancer(return_X_y=True))


@cache
def diabetes() -> Data:
    """442 rows of 10 columns in their own units, one number from 25 to 346."""
    return _numbers(*datasets.load_diabetes(return_X_y=True, scaled=False))


@cache
def friedman(number: int) -> Data:
    """Friedman's three functions, 1500 rows; the second and third in ohms and volts (1991)."""
    make = (datasets.make_friedman1, datasets.make_friedman2, datasets.make_friedman3)[number - 1]
    return _numbers(*make(1500, random_state=0))


@cache
def quartic() -> Data:
    """y = x^4 for x from -3 to 3."""
    x = torch.linspace(-3, 3, 1200).unsqueeze(1)
    return _numbers(x, x**4)


@cache
def adding(length: int) -> Data:
    """Hochreiter and Schmidhuber's adding problem: the sum of the two marked numbers among ``length``."""
    generator = torch.Generator().manual_seed(length)
    values, marks = torch.rand(4000, length, generator=generator), torch.zeros(4000, length)
    for low, high in ((0, length // 2), (length // 2, length)):
        marks[torch.arange(4000), torch.randint(low, high, (4000,), generator=generator)] = 1
    return _numbers(torch.stack([values, marks], 2), (values * marks).sum(1, keepdim=True))


@cache
def order(length: int) -> Data:
    """Their temporal order problem: which of two symbols came early and which late, among others; 4 classes."""
    generator = torch.Generator().manual_seed(length)
    symbols = torch.randint(2, 6, (4000, length), generator=generator)
    told = torch.randint(0, 2, (4000, 2), generator=generator)
    for place, (low, high) in enumerate(((0, length // 5), (length // 2, length // 2 + length // 5))):
        symbols[torch.arange(4000), torch.randint(low, high, (4000,), generator=generator)] = told[:, place]
    return _classes(F.one_hot(symbols, 6), 2 * told[:, 0] + told[:, 1])


@cache
def majority(length: int) -> Data:
    """The most frequent of four symbols; the first of them where two are."""
    symbols = torch.randint(0, 4, (4000, length), generator=torch.Generator().manual_seed(length))
    return _classes(F.one_hot(symbols, 4), F.one_hot(symbols, 4).sum(1).argmax(1))


@cache
def first(length: int) -> Data:
    """The first of a sequence of eight symbols."""
    symbols = torch.randint(0, 8, (4000, length), generator=torch.Generator().manual_seed(length))
    return _classes(F.one_hot(symbols, 8), symbols[:, 0])


@cache
def letters(length: int, each: bool) -> Data:
    """Windows of Python's own help; the class is the letter that follows, after the window or after ``each`` letter."""
    text = " ".join(" ".join(topics[name] for name in sorted(topics)[:12]).lower().split())[:60000]
    codes = torch.tensor([ALPHABET.find(letter) % (len(ALPHABET) + 1) for letter in text])
    windows = codes.unfold(0, length + 1, 3)
    split = int(SHARE * len(windows))
    inputs, targets = windows[:, :-1].contiguous(), (windows[:, 1:] if each else windows[:, -1]).contiguous()
    held = slice(split + length, split + length + 1500)
    return Data(inputs[:split], targets[:split], inputs[held], targets[held], len(ALPHABET) + 1)


def find(source: str) -> Data:
    """The set that ``source`` names, as "digits", "adding 20" or "letters 8 each"."""
    name, *arguments = source.split()
    made: Data = globals()[name](*(word == "each" if not word.isdigit() else int(word) for word in arguments))
    return made


def _reshaped(own: Data, *shape: int) -> Data:
    return Data(own.inputs.view(-1, *shape), own.targets, own.held_inputs.view(-1, *shape), own.held_targets, 10)
