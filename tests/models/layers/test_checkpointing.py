import torch
import torch.nn as nn

from mmsign.models.layers.checkpointing import checkpointed


def block() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(2, 3, 3, padding=1), nn.BatchNorm3d(3), nn.ReLU())


def test_same_gradients_and_same_buffers():
    plain, wrapped = block(), block()
    x = torch.randn(2, 2, 4, 5, 5)
    for _ in range(3):
        plain(x).square().sum().backward()
        checkpointed(wrapped, wrapped)(x).square().sum().backward()
    for a, b in zip(plain.parameters(), wrapped.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)
    for a, b in zip(plain.buffers(), wrapped.buffers(), strict=True):
        torch.testing.assert_close(a, b)
    assert wrapped[1].num_batches_tracked == 3
    assert wrapped[1].momentum == plain[1].momentum
