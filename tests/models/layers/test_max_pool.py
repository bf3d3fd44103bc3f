import pytest
import torch
import torch.nn as nn

from mmsign.models.layers.max_pool import MaxPool3d


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_autocast_does_not_change_the_dtype(dtype):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 5, 6).to(dtype).requires_grad_()
    same = x.detach().float().requires_grad_()
    expected = nn.MaxPool3d(3, 1, 1)(same)
    with torch.autocast('cpu', torch.bfloat16):
        pooled = MaxPool3d(3, 1, 1)(x)
        # Why this layer is there; where it holds no longer, it can go.
        assert nn.MaxPool3d(3, 1, 1)(x.detach()).dtype == torch.float32
    assert pooled.dtype == dtype
    assert torch.equal(pooled.float(), expected)
    pooled.sum().backward()
    expected.sum().backward()
    assert torch.equal(x.grad.float(), same.grad)
