"""The kernels for GPUs on a CPU: run by Triton's interpreter, in a process of
their own, as Triton must be imported with it switched on.

    with TRITON_INTERPRET=1: python interpreted_kernels.py CASES RESULTS
"""

from __future__ import annotations

import sys
from types import ModuleType

import torch
import torch.nn as nn

from mmsign.models.backbones.s3d import _Inception
from mmsign.models.layers import shifts, volume
from mmsign.models.layers.checkpointing import checkpointed


def of_rows(case: dict) -> list[torch.Tensor]:
    """Output, gradients of input, weight and bias, and running averages."""
    # Not with the rest: tests import this file, and Triton stays out of their process.
    from mmsign.models.layers import kernels

    leaves = [case[name].clone().requires_grad_() for name in ('x', 'weight', 'bias')]
    averages = [case[name].clone() for name in ('mean', 'var')]
    settings = case['momentum'], case['eps'], case['relu']
    y = kernels.batch_norm(*leaves, *averages, *settings)
    y.backward(case['gradient'])
    return [y, *(leaf.grad for leaf in leaves), *averages]


def of_places(case: dict) -> list[torch.Tensor]:
    """Output and gradient of the input of a max pool."""
    from mmsign.models.layers import kernels

    x = case['x'].clone().requires_grad_()
    y = kernels.max_pool(x, *case['pool'])
    y.backward(ramp(y))
    return [y, x.grad]


def of_a_convolution(case: dict) -> list[torch.Tensor]:
    """Output and gradients of a layer that looks along all axes."""
    layer = getattr(volume, case['kind'])(*case['sizes'], bias=False)
    layer.weight.data = case['weight']
    return trained(layer, case['x'])


def of_a_layer(case: dict) -> list[torch.Tensor]:
    """Of an inception layer the same, of all parameters and buffers, and its output
    in evaluation."""
    layer = _Inception(*case['sizes'])
    layer.load_state_dict(case['state'])
    found = trained(layer, case['x'], case['saving'])
    return [*found, evaluated(layer, case['x'])]


def trained(
    layer: nn.Module, x: torch.Tensor, saving: bool = False
) -> list[torch.Tensor]:
    """Output, gradients and buffers of a layer, of a loss that is linear in it."""
    leaf = x.clone().requires_grad_()
    y = checkpointed(layer.train(), leaf) if saving else layer.train()(leaf)
    y.backward(ramp(y))
    gradients = [parameter.grad for parameter in layer.parameters()]
    return [y, leaf.grad, *gradients, *layer.buffers()]


def evaluated(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return layer.eval()(x)


def ramp(y: torch.Tensor) -> torch.Tensor:
    return torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape)


def computed(case: dict) -> list[torch.Tensor]:
    if 'pool' in case:
        found = of_places(case)
    elif 'kind' in case:
        found = of_a_convolution(case)
    else:
        found = of_a_layer(case) if 'state' in case else of_rows(case)
    return [tensor.detach() for tensor in found]


def main() -> None:
    from mmsign.models.layers import kernels

    def kernels_for(x: torch.Tensor) -> ModuleType:
        assert kernels.are_usable(x.device, x.dtype)
        return kernels

    shifts.kernels_for = kernels_for
    cases = torch.load(sys.argv[1], weights_only=True)
    results = {name: computed(case) for name, case in cases.items()}
    torch.save(results, sys.argv[2])


if __name__ == '__main__':
    main()
