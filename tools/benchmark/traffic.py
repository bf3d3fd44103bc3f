"""What a training step launches and moves on a GPU, without a GPU.

The step runs on tensors that have shapes and no values, as in memory.py, forward and
backward in bfloat16. Operators that are no views are counted, and the bytes that they
read and write, each tensor once; so are the kernels of mmsign's own, which need Triton.
An operator of PyTorch may be several kernels and read a tensor more than once: a batch
norm in training does. The optimizer is left out.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from _clips import batch
from _plain import pytorch_kernels
from _report import show
from memory import LossByShape
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from training_step import network

from mmsign.compat import has_triton
from mmsign.engine.launch import reported_errors
from mmsign.models.layers import shifts


class Traffic(TorchDispatchMode):
    """Counts calls, and bytes of their tensors, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if not func.is_view and not _moves_nothing(func.name()):
            self.count(func.name(), (args, kwargs, result))
        return result

    def count(self, name: str, values) -> None:
        self.calls[name] += 1
        tensors = [v for v in tree_flatten(values)[0] if isinstance(v, torch.Tensor)]
        for tensor in {id(tensor): tensor for tensor in tensors}.values():
            held = tensor.untyped_storage().nbytes()
            self.bytes[name] += min(tensor.numel() * tensor.element_size(), held)


def _moves_nothing(name: str) -> bool:
    return name.startswith('prim::') or 'empty' in name


@contextmanager
def as_on_a_gpu(traffic: Traffic, ours: bool) -> Iterator[None]:
    """Within it layers are computed as on one, by kernels of ours or without them."""
    before = shifts._in_one_launch, shifts.kernels_for
    shifts._in_one_launch = lambda y: True
    try:
        if ours:
            with _counted_kernels(traffic):
                yield
        else:
            with pytorch_kernels():
                yield
    finally:
        shifts._in_one_launch, shifts.kernels_for = before


@contextmanager
def _counted_kernels(traffic: Traffic) -> Iterator[None]:
    from triton.runtime.jit import JITFunction

    from mmsign.models.layers import kernels

    def run(kernel, *arguments, **settings) -> None:
        module = kernel.fn.__module__.rpartition('.')[2]
        traffic.count(f'{module}.{kernel.fn.__name__}', arguments)

    launch = JITFunction.run
    JITFunction.run, shifts.kernels_for = run, lambda x: kernels
    try:
        yield
    finally:
        JITFunction.run = launch


def step(args: argparse.Namespace, ours: bool) -> Traffic:
    """What a training step moves."""
    traffic = Traffic()
    with FakeTensorMode():
        net = network(args).train()
        net.gloss_loss = LossByShape()
        data = batch(args)
        with as_on_a_gpu(traffic, ours), traffic:
            with torch.autocast('cpu', torch.bfloat16):
                ready = net.data_preprocessor(data, True)
                losses = net(ready['inputs'], ready['data_samples'], mode='loss')
            sum(losses.values()).backward()
    return traffic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=128)
    parser.add_argument('--size', type=int, default=224, help='side of the frames')
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--most', type=int, default=12, help='operators that are named')
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    if not has_triton():
        parser.error('the kernels need Triton: pip install triton')
    args.checkpointing = False
    rows: dict[str, float] = {}
    found = {name: step(args, name == 'ours') for name in ("PyTorch's", 'ours')}
    for name, traffic in found.items():
        rows[f'operators and kernels, {name}'] = traffic.calls.total()
        rows[f'read and written, {name}, GB'] = traffic.bytes.total() / 1e9
    theirs, ours = (traffic.bytes.total() for traffic in found.values())
    rows["ratio read and written, ours / PyTorch's"] = ours / theirs
    for name, size in found['ours'].bytes.most_common(args.most):
        rows[f'{name}, {found["ours"].calls[name]} x, GB'] = size / 1e9
    show('traffic of a training step', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
