"""What the experiments train on: scikit-learn's bundled digits, and text that ships with Python."""

from __future__ import annotations

import functools
import re
from collections import Counter

import torch
from torch import Tensor


@functools.cache
def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """8×8 images: inputs (1500, 64) and classes (1500,) to train on, (297, 64) and (297,) to test on.

    Pixels are standardised as a whole, so that a layer of unit gain sees unit variance.
    """
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(classes)
    x = (x - x.mean()) / x.std()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    train, test = order[:1500], order[1500:]
    return x[train], y[train], x[test], y[test]


@functools.cache
def words(vocabulary: int) -> tuple[list[str], list[int]]:
    """The commonest words of Python's own manual (``pydoc_data.topics``), and the text as places in that list.

    Words that are not in the list are left out of the text.
    """
    from pydoc_data.topics import topics

    text = re.findall(r"[a-z]+", " ".join(topics[name] for name in sorted(topics)).lower())
    known = [word for word, _ in Counter(text).most_common(vocabulary)]
    places = {word: place for place, word in enumerate(known)}
    return known, [places[word] for word in text if word in places]
