"""Recurrent networks: plain, LSTM (Hochreiter, Schmidhuber 1997), GRU (Cho 2014)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["rnn", "lstm", "gru"]


class Recurrent(nn.Module):
    """One recurrent layer and a linear head on its last state: (N, T, inputs) → (N, outputs).

    ``forget``: the bias of an LSTM's forget gates; 1 lets them begin open (Gers 2000, Jozefowicz 2015).
    """

    def __init__(self, cell: Cell, inputs: int, width: int, outputs: int, forget: float = 0.0) -> None:
        super().__init__()
        kinds = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        self.cell = kinds[cell](inputs, width, batch_first=True)
        self.head = nn.Linear(width, outputs)
        if cell == "lstm":
            with torch.no_grad():  # two biases add up to the one of the papers
                self.cell.bias_ih_l0[width : 2 * width] = forget
                self.cell.bias_hh_l0[width : 2 * width] = 0.0

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.cell(x)
        result: Tensor = self.head(states[:, -1])
        return result
