"""The kernels as they are compiled for a GPU that need not be there; none is launched.

python compiled_kernels.py: a notice, then for each call of one a line
{"name": …, "ptx": …}.
"""

from __future__ import annotations

import json

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.runtime.jit import JITFunction

from mmsign.models.layers import kernels


class StandIn:
    """What Triton asks of a GPU before it launches."""

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0

    def get_current_target(self) -> GPUTarget:
        return GPUTarget('cuda', 90, 32)


def only_compile() -> None:
    launch = JITFunction.run

    def run(kernel, *arguments, grid, warmup, **settings):
        found = launch(kernel, *arguments, grid=grid, warmup=True, **settings)
        print(json.dumps(dict(name=kernel.fn.__name__, ptx=found.asm['ptx'])))
        return found

    triton.runtime.driver.set_active(StandIn())
    JITFunction.run = run


def main() -> None:
    # Triton knows no CPU, which is said once.
    print(kernels.are_usable(torch.device('cpu'), torch.float32))
    only_compile()
    dtype = torch.bfloat16
    for rows, channels in ((5000, 64), (1000, 24), (777, 832)):
        x = torch.zeros(rows, channels, dtype=dtype, requires_grad=True)
        vectors = torch.zeros(4, channels)
        y = kernels.batch_norm(x, *vectors, 0.1, 1e-5, relu=True)
        kernels.fixed_norm(x, *vectors, 1e-5, relu=True)
        y.backward(torch.zeros(rows, 2 * channels, dtype=dtype)[:, channels:])
    x = torch.zeros(1, 4, 8, 8, 24, dtype=dtype, requires_grad=True)
    y = kernels.max_pool(x, (3, 3, 3), (2, 2, 2), (1, 1, 1))
    y.backward(torch.zeros_like(y))
    y = kernels.sum_shifts(torch.zeros(1, 4, 8, 8, 3 * 24, dtype=dtype), 3, 1, 1, 4)
    kernels.place_shifts(y, 3, 4, 1, 1)


if __name__ == '__main__':
    main()
