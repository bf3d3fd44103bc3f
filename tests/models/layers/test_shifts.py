"""Sums of shifted frames: both ways of computing them, against PyTorch's layers."""

import pytest
import torch
import torch.nn as nn
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.models.layers import shifts, volume


@st.composite
def kernels(draw) -> dict:
    """Of convolutions that look along time and space, and so are sums of shifts."""
    k = draw(st.integers(2, 7))
    return dict(
        kernel_size=(k, 3, 3),
        stride=(draw(st.integers(1, 3)), draw(st.integers(1, 2)), 1),
        padding=(draw(st.integers(0, k // 2)), 1, 1),
        bias=draw(st.booleans()),
    )


def gradients_of(layer: nn.Module, x: torch.Tensor, *arguments) -> list[torch.Tensor]:
    """Output, and gradients of input and parameters, of a weighted sum."""
    leaf = x.clone().requires_grad_()
    y = layer(leaf, *arguments)
    generator = torch.Generator().manual_seed(3)
    (y * torch.rand(y.shape, generator=generator, dtype=y.dtype)).sum().backward()
    return [y, leaf.grad, *(p.grad for p in layer.parameters())]


# A CPU never takes the way of one launch by itself, so it is sent there.
@pytest.mark.parametrize('one_launch', [False, True])
@examples(40)
@given(kernels(), st.integers(1, 2), st.integers(7, 10), st.data())
def test_both_ways_are_pytorchs_convolutions(one_launch, settings, clips, frames, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shifts, '_in_one_launch', lambda y: one_launch)
        # Of 2 or 3 channels: all positions at once, or few.
        for most in ('_MOST_CHANNELS', '_MOST_SUMMED'):
            patch.setattr(shifts, most, data.draw(st.sampled_from([1, 5, 99])))
        x = torch.randn(clips, 2, frames, 5, 6, dtype=torch.float64)
        for ours, theirs in (
            (volume.Conv3d, nn.Conv3d),
            (volume.ConvTranspose3d, nn.ConvTranspose3d),
        ):
            pair = [kind(2, 3, **settings).double() for kind in (ours, theirs)]
            pair[1].load_state_dict(pair[0].state_dict())
            arguments = ()
            if theirs is nn.ConvTranspose3d:
                stride = settings['stride']
                more = [data.draw(st.integers(0, s - 1)) for s in stride]
                sizes = pair[1](x).shape[2:]
                arguments = ([n + extra for n, extra in zip(sizes, more)],)
            found, expected = (gradients_of(layer, x, *arguments) for layer in pair)
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
            with torch.no_grad():
                found = pair[0](x, *arguments)
            torch.testing.assert_close(found, expected[0], rtol=1e-10, atol=1e-10)
