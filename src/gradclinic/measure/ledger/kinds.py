"""What kind of operation an autograd node is: tables of autograd's names, which differ by device and version."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: Elementwise nonlinearities.
ACTIVATIONS: Final = frozenset(
    "Relu Sigmoid Tanh Gelu Silu Elu LeakyRelu Softplus Hardtanh Hardsigmoid Hardswish Erf Mish Celu LogSigmoid Glu "
    "PreluKernel Prelu Hardshrink Softshrink RreluWithNoise Threshold Clamp ClampMin ClampMax Sin Cos "
    "HardtanhBackward Relu6 MkldnnReluBackward".split()
)

#: Modules that are an activation made of one division.
ACTIVATION_MODULES: Final = frozenset({"Softsign"})

NORMALIZATIONS: Final = frozenset(
    "NativeBatchNorm CudnnBatchNorm MiopenBatchNorm BatchNormImplIndex NativeBatchNormWithUpdate "
    "BatchNormWithUpdate NativeLayerNorm NativeGroupNorm FusedRmsNorm RmsNorm InstanceNorm".split()
)

#: Products of a signal with a weight, and the positions of their two operands among the node's edges.
PRODUCTS: Final[dict[str, tuple[int, int]]] = {
    "Addmm": (1, 2),
    "AddmmActivation": (1, 2),
    "Mm": (0, 1),
    "Bmm": (0, 1),
    "Baddbmm": (1, 2),
    "Addbmm": (1, 2),
    "Linear": (0, 1),
    "MkldnnLinear": (0, 1),
    "Convolution": (0, 1),
    "ConvolutionOverrideable": (0, 1),
    "MkldnnConvolution": (0, 1),
    "CudnnConvolution": (0, 1),
    "CudnnConvolutionTranspose": (0, 1),
    "ThnnConv2D": (0, 1),
    "ConvDepthwise2D": (0, 1),
    "SlowConv2D": (0, 1),
}

#: Products whose operand may be a single vector; in a spectral norm that vector is no data.
VECTOR_PRODUCTS: Final[dict[str, tuple[int, int]]] = {"Mv": (0, 1), "Addmv": (1, 2), "Dot": (0, 1)}

CONVOLUTIONS: Final = frozenset(name for name in PRODUCTS if "Conv" in name)

LOOKUPS: Final = frozenset({"Embedding", "EmbeddingBag", "EmbeddingRenorm"})

#: Fused recurrences: (input, hidden state ...) come first among their edges on the CPU and on CUDA.
FUSED_RECURRENCES: Final = frozenset("MkldnnRnnLayer CudnnRnn MiopenRnn".split())

LOSSES: Final = frozenset(
    "NllLoss NllLoss2D MseLoss L1Loss SmoothL1Loss HuberLoss BinaryCrossEntropy BinaryCrossEntropyWithLogits KlDiv "
    "CtcLoss CudnnCtcLoss MultiMarginLoss MultilabelMarginLoss SoftMarginLoss CrossEntropyLoss".split()
)

#: Operations that only rearrange elements: the output has the elements of the input, each once.
REARRANGEMENTS: Final = frozenset(
    "T Transpose Permute View UnsafeView ReshapeAlias Reshape Unsqueeze Squeeze Clone Contiguous Alias Flatten "
    "Detach AsStridedIdentity Movedim Swapaxes Flip Roll Unflatten ViewAs LiftFresh".split()
)

#: Shape and cast operations: they cannot make a non-finite gradient out of a finite one, except casts.
SHAPES: Final = REARRANGEMENTS | frozenset(
    "Expand Slice Select Split Unbind Chunk Cat Stack SplitWithSizes Narrow UnsafeSplit".split()
)


@lru_cache(maxsize=4096)
def op_name(raw: str) -> str:
    """Autograd's name alone: "torch::autograd::CopySlices" -> "CopySlices", "AddmmBackward0" -> "Addmm"."""
    return re.sub(r"(?<=.)Backward\d*$", "", raw.rsplit("::", 1)[-1])
