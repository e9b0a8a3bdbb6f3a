"""Networks as a textbook writes them: plain and convolutional, with shortcuts, recurrent, transformers, skip-gram.

Small on purpose, and without options beyond what the experiments change.  For training in earnest take torchvision's or
Hugging Face's.
"""

from .convolution import plain_conv
from .dense_net import DenseNet
from .mlp import mlp
from .res_net import ResNet, residual_mlp
from .sequence import Recurrent
from .skip_gram import SkipGram
from .transformer import Transformer

__all__ = ["DenseNet", "Recurrent", "ResNet", "SkipGram", "Transformer", "mlp", "plain_conv", "residual_mlp"]
