from collections import Counter
from functools import partial

import pytest
import torch
import torch.nn as nn
from torch.utils._python_dispatch import TorchDispatchMode

from mmsign.models.layers.checkpointing import KEEPS_PRODUCTS, checkpointed
from mmsign.models.layers.volume import BatchNorm3d, Conv3d


def block() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        Conv3d(2, 3, (1, 3, 3), padding=(0, 1, 1), bias=False),
        BatchNorm3d(3),
        nn.ReLU(inplace=True),
        Conv3d(3, 4, 1, bias=False),  # a matrix product
        nn.BatchNorm3d(4),  # counts its batches itself
        nn.ReLU(inplace=True),
    )


def assert_same_training(plain: nn.Module, wrapped: nn.Module, run) -> None:
    x = torch.randn(2, 2, 4, 5, 5)
    for _ in range(3):
        plain(x).square().sum().backward()
        run(x).square().sum().backward()
    for a, b in zip(plain.parameters(), wrapped.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)
    for a, b in zip(plain.buffers(), wrapped.buffers(), strict=True):
        torch.testing.assert_close(a, b)
    assert wrapped[4].num_batches_tracked == 3
    assert wrapped[1].momentum == plain[1].momentum


def test_same_gradients_and_same_buffers():
    plain, wrapped = block(), block()
    assert_same_training(plain, wrapped, partial(checkpointed, wrapped))


@pytest.mark.slow
@pytest.mark.skipif(not KEEPS_PRODUCTS, reason='not compiled before torch 2.4')
def test_compiled_the_same():
    plain, wrapped = block(), block()
    run = torch.compile(partial(checkpointed, wrapped), backend='aot_eager')
    assert_same_training(plain, wrapped, run)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv1d(2, 3, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(12, 4, bias=False),
        nn.ReLU(),
    )


class Calls(TorchDispatchMode):
    """Counts the operators that run within it."""

    def __init__(self) -> None:
        super().__init__()
        self.found = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.found[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def test_only_what_is_cheap_runs_again():
    x = torch.randn(2, 2, 4)
    plain, saving = network(), network()
    with Calls() as before:
        plain(x).sum().backward()
    with Calls() as after:
        checkpointed(saving, x).sum().backward()
    repeated = 0 if KEEPS_PRODUCTS else 1
    assert before.found['relu'] == 2 and after.found['relu'] == 4
    assert before.found['convolution'] == 1
    assert after.found['convolution'] == 1 + repeated
    assert after.found['mm'] == before.found['mm'] + repeated > 0
    for a, b in zip(plain.parameters(), saving.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)
