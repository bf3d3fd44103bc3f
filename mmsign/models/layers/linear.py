"""Linear layers of few rows, whose weights are what takes time.

Symbols: G layers, N rows, T steps, C and C' channels, k steps of a kernel.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def windows(x: Tensor, k: int) -> Tensor:
    """(…, T, C) → (…, T, C·k): the k steps around each, zeros beyond the ends.

    A convolution over time is a linear layer on these, by its weight (C', C, k) as
    (C', C·k).
    """
    if k == 1:
        return x
    padded = F.pad(x, (0, 0, (k - 1) // 2, k // 2))
    return padded.unfold(-2, k, 1).contiguous().flatten(-2)


def convolved(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """``conv``, padded to the same length, of (B, T, C) → (B, T, C').

    For some steps and thousands of channels oneDNN takes several times as long. ONNX
    files get the convolution.
    """
    if torch.onnx.is_in_onnx_export():
        return conv(x.transpose(1, 2)).transpose(1, 2)
    return F.linear(windows(x, *conv.kernel_size), conv.weight.flatten(1), conv.bias)


class LinearOfEach(torch.autograd.Function):
    """G linear layers to as many channels: bias (G, C'), then G inputs (N, C_i), then
    G weights, C' first and C_i in all → (G, N, C').

    The weights stay where they are: a stack of them would be written anew in every
    step, into more memory than an allocator keeps.
    """

    @staticmethod
    def forward(ctx, bias, *inputs_and_weights):
        ctx.save_for_backward(*inputs_and_weights)
        inputs, weights = _halves(inputs_and_weights)
        y = bias.new_empty(len(bias), len(inputs[0]), bias.shape[1])
        for b, x, weight, out in zip(bias, inputs, weights, y):
            torch.addmm(b, x, weight.flatten(1).t(), out=out)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        _, *needed = ctx.needs_input_grad
        of_each = list(zip(gradient, *_halves(ctx.saved_tensors), *_halves(needed)))
        return (
            gradient.sum(1),
            *(y @ w.flatten(1) if wanted else None for y, _, w, wanted, _ in of_each),
            # This way round it lies as the weight does.
            *(
                (y.t() @ x).view_as(w) if wanted else None
                for y, x, w, _, wanted in of_each
            ),
        )


def _halves(both: Sequence) -> tuple[Sequence, Sequence]:
    return both[: len(both) // 2], both[len(both) // 2 :]
