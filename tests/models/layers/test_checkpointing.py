from functools import partial

import pytest
import torch
import torch.nn as nn

from mmsign.compat import KEEPS_PRODUCTS
from mmsign.models.layers.checkpointing import checkpointed
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
