"""Small tasks for the set-ups: real tables and images that scikit-learn bundles, and sequences made from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Data:
    """Inputs and targets in memory, and what they ask for."""

    inputs: Tensor
    targets: Tensor
    outputs: int  #: width of the model's output
    loss: Callable[[Tensor, Tensor], Tensor]
    constant_loss: float  #: of the best constant prediction
    letters: int = 0  #: of inputs that are letters, how many different ones


def _classes(inputs: Tensor, labels: Tensor) -> Data:
    counts = torch.bincount(labels).double()
    shares = counts / counts.sum()
    return Data(inputs, labels, len(counts), F.cross_entropy, float(torch.special.entr(shares).sum()))


def _numbers(inputs: Tensor, targets: Tensor) -> Data:
    return Data(inputs, targets, targets.shape[1], F.mse_loss, float(targets.var(0, correction=0).mean()))


def _standard(table: Tensor) -> Tensor:
    return (table - table.mean(0)) / table.std(0).clamp_min(1e-6)


def _tensor(array: object) -> Tensor:
    return torch.as_tensor(array, dtype=torch.float32)


@cache
def digits() -> Data:
    """1797 images of 8 x 8 as rows of 64, 10 classes."""
    images, labels = load_digits(return_X_y=True)
    return _classes(_standard(_tensor(images)), torch.as_tensor(labels))


@cache
def digit_images() -> Data:
    """The same as (1, 8, 8)."""
    flat = digits()
    return Data(flat.inputs.view(-1, 1, 8, 8), flat.targets, flat.outputs, flat.loss, flat.constant_loss)


@cache
def digit_rows() -> Data:
    """The same as sequences of 8 rows of 8."""
    flat = digits()
    return Data(flat.inputs.view(-1, 8, 8), flat.targets, flat.outputs, flat.loss, flat.constant_loss)


@cache
def wine() -> Data:
    """178 rows of 13 columns, 3 classes."""
    table, labels = load_wine(return_X_y=True)
    return _classes(_standard(_tensor(table)), torch.as_tensor(labels))


@cache
def cancer() -> Data:
    """569 rows of 30 columns, 2 classes."""
    table, labels = load_breast_cancer(return_X_y=True)
    return _classes(_standard(_tensor(table)), torch.as_tensor(labels))


@cache
def diabetes() -> Data:
    """442 rows of 10 columns, one number of mean 0 and variance 1."""
    table, target = load_diabetes(return_X_y=True)
    return _numbers(_standard(_tensor(table)), _standard(_tensor(target).unsqueeze(1)))


@cache
def same_digits() -> Data:
    """Images to be given back: an autoencoder's task."""
    images = digits().inputs
    return _numbers(images, images)


@cache
def first_symbol(length: int) -> Data:
    """2048 sequences of 8 symbols, one-hot; the class is the first symbol: a memory over ``length`` steps."""
    generator = torch.Generator().manual_seed(length)
    symbols = torch.randint(0, 8, (2048, length), generator=generator)
    return _classes(F.one_hot(symbols, 8).float(), symbols[:, 0])


@cache
def adding(length: int) -> Data:
    """Hochreiter and Schmidhuber's adding problem: the sum of the two marked numbers among ``length``."""
    generator = torch.Generator().manual_seed(length)
    values = torch.rand(2048, length, generator=generator)
    marks = torch.zeros(2048, length)
    half = length // 2
    for low, high in ((0, half), (half, length)):
        marks[torch.arange(2048), torch.randint(low, high, (2048,), generator=generator)] = 1
    return _numbers(torch.stack([values, marks], 2), ((values * marks).sum(1, keepdim=True) - 1) / 0.41)


@cache
def next_letter(length: int) -> Data:
    """Windows of Python's own licence text; the class of each place is the letter that follows."""
    import site

    text = "".join(str(site.__doc__).split("\r"))[:6000] + str(torch.nn.Module.__doc__)[:4000]
    letters = {letter: index for index, letter in enumerate(sorted(set(text)))}
    codes = torch.tensor([letters[letter] for letter in text])
    windows = codes.unfold(0, length + 1, 3)
    inputs, targets = windows[:, :-1].contiguous(), windows[:, 1:].contiguous()
    shares = torch.bincount(targets.flatten(), minlength=len(letters)).double() / targets.numel()

    def loss(logits: Tensor, wanted: Tensor) -> Tensor:
        return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    return Data(inputs, targets, len(letters), loss, float(torch.special.entr(shares).sum()))


@cache
def letter_case(length: int) -> Data:
    """Windows of Python's own documentation; the class is how many of its letters are vowels, in four equal parts."""
    text = str(torch.nn.Module.__doc__) + str(torch.optim.Adam.__doc__) + str(torch.nn.Transformer.__doc__)
    letters = {letter: index for index, letter in enumerate(sorted(set(text)))}
    codes = torch.tensor([letters[letter] for letter in text])
    vowel = torch.tensor([letter.lower() in "aeiou" for letter in text])
    windows, counts = codes.unfold(0, length, 2), vowel.unfold(0, length, 2).sum(1).float()
    edges = torch.quantile(counts, torch.tensor([0.25, 0.5, 0.75]))
    made = _classes(windows.contiguous(), torch.bucketize(counts, edges))
    return Data(made.inputs, made.targets, made.outputs, made.loss, made.constant_loss, len(letters))
