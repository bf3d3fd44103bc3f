"""Peak memory of a training step of the full two-stream network, without a GPU.

The step runs on tensors that have shapes and no values (PyTorch's FakeTensorMode),
forward, backward and Adam, and every tensor is counted from its making to its end: the
largest sum is what the step needs, less what kernels use inside of themselves and what
an allocator cannot use of its pieces. training_step.py measures it on a GPU.
"""

from __future__ import annotations

import argparse
import weakref
from collections.abc import Callable
from contextlib import nullcontext

import torch
import torch.nn as nn
from _clips import batch
from _plain import plain_layers
from _report import show
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from training_step import network

from mmsign.engine.launch import reported_errors

GIB = 1 << 30


class LossByShape(nn.Module):
    """In place of CTC, whose result depends on values: all but its small table."""

    def forward(self, logits: list[torch.Tensor], *_, **__) -> list[torch.Tensor]:
        return [x.float().log_softmax(-1).sum() for x in logits]


class HeldMemory(TorchDispatchMode):
    """Counts the bytes of all tensors that are made within it and still there.

    Attributes:
        held: Bytes now.
        peak: The most that were held at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self._storages: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in tree_flatten(result)[0]:
            if isinstance(value, torch.Tensor):
                self._count(value.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key in self._storages:
            return
        self._storages.add(key)
        self.held += size
        self.peak = max(self.peak, self.held)
        weakref.finalize(storage, self._forget, key, size).atexit = False

    def _forget(self, key: int, size: int) -> None:
        self._storages.discard(key)
        self.held -= size


def can_count() -> bool:
    """Whether this torch keeps one object per storage, whose end can be noticed."""
    tensor = torch.empty(1)
    return tensor.untyped_storage() is tensor.untyped_storage()


def peak_memory(
    build: Callable[[argparse.Namespace], nn.Module],
    args: argparse.Namespace,
    low: bool,
) -> int:
    """Bytes of a training step at its peak, weights and Adam's moments included."""
    with FakeTensorMode(), HeldMemory() as memory:
        net = build(args).train()
        net.gloss_loss = LossByShape()
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-5)
        for parameter in net.parameters():  # with gradients, Adam makes its moments
            if parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        optimizer.zero_grad()
        data = batch(args)
        with torch.autocast('cpu', torch.bfloat16, enabled=low):
            ready = net.data_preprocessor(data, True)
            losses = net(ready['inputs'], ready['data_samples'], mode='loss')
        sum(losses.values()).backward()
        optimizer.step()
    return memory.peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=128)
    parser.add_argument('--long', type=int, default=400, help='frames of a long clip')
    parser.add_argument('--size', type=int, default=224, help='side of the frames')
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    if not can_count():
        parser.error(f'torch {torch.__version__} does not tell when memory is let go')
    # Name: frames, bfloat16 autocast, checkpointing. The first with PyTorch's layers.
    variants = {
        'float32': (args.frames, False, False),
        'bfloat16': (args.frames, True, False),
        'bfloat16, checkpointing': (args.frames, True, True),
        'bfloat16, checkpointing, long': (args.long, True, True),
    }
    found, rows = {}, {}
    for name, (frames, low, checkpointing) in variants.items():
        changes = dict(frames=frames, checkpointing=checkpointing)
        sizes = argparse.Namespace(**vars(args) | changes)
        with nullcontext() if low else plain_layers():
            found[name] = peak_memory(network, sizes, low)
        rows[f'{name}, {frames} frames, GiB'] = found[name] / GIB
    for name in ('bfloat16', 'bfloat16, checkpointing'):
        rows[f'ratio {name} / float32'] = found[name] / found['float32']
    show('memory of a training step', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
