import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from mmsign.models.layers.linear import LinearOfEach, convolved


@pytest.mark.parametrize('kernel', [1, 2, 3, 4])
def test_a_convolution_over_time(kernel):
    torch.manual_seed(0)
    conv = nn.Conv1d(5, 7, kernel, padding='same').double()
    x = torch.randn(2, 6, 5, dtype=torch.float64)
    expected = conv(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(convolved(conv, x), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize('frozen', [None, 0, 1])
def test_layers_of_each(frozen):
    # Of other widths, one weight a kernel; an input and a weight without gradient.
    torch.manual_seed(0)
    double = dict(dtype=torch.float64)
    inputs = [torch.randn(4, c, **double) for c in (6, 3)]
    weights = [torch.randn(5, *shape, **double) for shape in ((2, 3), (3,))]
    bias = torch.randn(2, 5, **double)
    leaves = [bias, *inputs, *weights]
    wanted = [t for i, t in enumerate(leaves) if frozen is None or i % 2 != frozen]
    for leaf in wanted:
        leaf.requires_grad_()
    found = LinearOfEach.apply(bias, *inputs, *weights)
    of_each = zip(inputs, weights, bias)
    expected = torch.stack([F.linear(x, w.flatten(1), b) for x, w, b in of_each])
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    both = (torch.autograd.grad(y.square().sum(), wanted) for y in (found, expected))
    for one, other in zip(*both):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
