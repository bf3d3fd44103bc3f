"""Against float64, which oneDNN does not compute."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mmsign import compat
from mmsign.compat import small_convolutions
from mmsign.models.layers.volume import Conv3d
from mmsign.models.necks.bilateral import convolution

# Layers and the (T, H, W) of an input; a kernel reaches into the padding at both ends.
LAYERS = {
    'temporal': (lambda: nn.Conv3d(20, 24, (3, 1, 1), 1, (1, 0, 0)), (2, 4, 4)),
    'temporal, strided': (
        lambda: nn.Conv3d(20, 24, (7, 1, 1), 2, (3, 0, 0)),
        (6, 4, 4),
    ),
    'spatial': (lambda: nn.Conv3d(20, 24, (1, 7, 7), 2, (0, 3, 3)), (4, 4, 4)),
    'both': (lambda: nn.Conv3d(20, 24, (7, 3, 3), (1, 2, 2), (3, 1, 1)), (5, 4, 4)),
    'of a subclass': (lambda: Louder(20, 24, (7, 3, 3), 1, (3, 1, 1)), (5, 4, 4)),
    'thin': (lambda: Conv3d(20, 24, (7, 1, 1), 1, (3, 0, 0)), (4, 3, 3)),
    'full': (lambda: Conv3d(20, 24, (7, 3, 3), (1, 2, 2), (3, 1, 1)), (5, 4, 4)),
    'same': (lambda: nn.Conv1d(20, 24, 3, padding='same'), (2,)),
    'same, dilated': (lambda: nn.Conv1d(20, 24, 4, padding='same', dilation=2), (4,)),
    'reflecting': (lambda: nn.Conv1d(20, 24, 3, 1, 1, padding_mode='reflect'), (2,)),
    'to the larger': (
        lambda: convolution(20, 24, (7, 3, 3), (2, 2, 2), True),
        (3, 4, 4),
    ),
}


class Louder(nn.Conv3d):
    def forward(self, x):
        return 2 * super().forward(x)


def gradients(layer: nn.Module, x, low: bool, **options) -> list:
    """Output, and its squares' gradients by the input and the parameters."""
    layer, x = copy.deepcopy(layer), x.detach().clone().requires_grad_()
    with torch.autocast('cpu', torch.bfloat16, enabled=low):
        y = layer(x, **options)
    y.to(x.dtype).square().sum().backward()
    return [y.detach(), x.grad, *(p.grad for p in layer.parameters())]


def assert_right(layer: nn.Module, x, low: bool, **options) -> None:
    # The exact ones of the numbers that bfloat16 has.
    for tensor in (x, *layer.parameters()):
        tensor.data.copy_(tensor.data.bfloat16())
    exact = gradients(copy.deepcopy(layer).double(), x.double(), False, **options)
    compat.patch_small_convolutions(layer)
    found = gradients(layer, x, low, **options)
    for name, wanted, got in zip(('output', 'input', 'weight', 'bias'), exact, found):
        assert got.shape == wanted.shape
        error = (got - wanted).abs().max() / wanted.abs().max()
        assert error < (0.03 if low else 1e-4), name


STRIDED = """
import torch, torch.nn as nn
from mmsign import compat
layer = nn.Conv2d(4, 8, 1, stride=2, bias=False)
compat.patch_small_convolutions(layer)
for _ in range(30):
    x = torch.randn(64, 4, 8, 8).to(memory_format=torch.channels_last)
    layer(x.requires_grad_()).sum().backward()
    kept = [torch.randn(n * 37 % 997 + 1) for n in range(50)]
"""


def test_a_stride_without_a_kernel_overwrites_no_memory():
    # With AVX2 alone the process dies of it, so it is another one.
    done = subprocess.run([sys.executable, '-c', STRIDED], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize('padding', [0, 'valid', (0, 0)])
def test_a_stride_without_a_kernel_is_what_it_was(padding):
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 5, 1, stride=(2, 3), padding=padding)
    assert_right(layer, torch.randn(2, 3, 7, 8), False)
    x = torch.randn(2, 3, 7, 8)
    plain = nn.Conv2d(3, 5, 1, stride=2, padding=1)
    assert_right(plain, x, False)  # where padding is seen, it stays


@pytest.mark.parametrize('low', [False, True], ids=['float32', 'bfloat16'])
@pytest.mark.parametrize('name', LAYERS)
def test_gradients_are_right(name, low):
    torch.manual_seed(0)
    layer, size = LAYERS[name][0](), LAYERS[name][1]
    assert_right(layer, torch.randn(2, 20, *size), low)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_gradients_of_any_convolution_are_right(data):
    torch.manual_seed(0)
    axes = data.draw(st.sampled_from([1, 2, 3]))

    def each(values):
        return data.draw(st.lists(values, min_size=axes, max_size=axes).map(tuple))

    kernel = each(st.sampled_from([1, 2, 3, 5, 7]))
    size, stride = each(st.integers(1, 9)), each(st.integers(1, 2))
    padding = tuple(k // 2 for k in kernel)
    transposed = data.draw(st.booleans())
    # An even kernel makes nothing of one position in transposed form.
    even = [k % 2 == 0 and n == 1 for k, n in zip(kernel, size)]
    assume(not (transposed and any(even)))
    options = dict(kernel_size=kernel, stride=stride, padding=padding)
    if transposed:
        options['output_padding'] = tuple(s - 1 for s in stride)
    name = f'Conv{"Transpose" if transposed else ""}{axes}d'
    layer = getattr(nn, name)(
        data.draw(st.sampled_from([3, 16, 20])),
        data.draw(st.sampled_from([16, 24])),
        **options,
    )
    batch = data.draw(st.integers(1, 2))
    x = torch.randn(batch, layer.in_channels, *size)
    if axes == 3 and data.draw(st.booleans()):
        x = x.contiguous(memory_format=torch.channels_last_3d)
        layer.to(memory_format=torch.channels_last_3d)
    assert_right(layer, x, data.draw(st.booleans()))


def test_size_of_a_transposed_one():
    layer = nn.ConvTranspose1d(20, 24, 7, stride=4, padding=3)
    x = torch.randn(1, 20, 2)
    for size in ([6], [1, 24, 8]):
        assert_right(copy.deepcopy(layer), x, False, output_size=size)
    compat.patch_small_convolutions(layer)
    with pytest.raises(ValueError, match='output size'):
        layer(x, output_size=[9])


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='no oneDNN')
def test_transposed_ones_without_gradients_are_onednns():
    last = torch.channels_last_3d
    layer = nn.ConvTranspose3d(8, 8, (7, 3, 3), 1, (3, 1, 1)).to(memory_format=last)
    x = torch.randn(2, 8, 4, 5, 5)

    def fast(x, weight):
        settings = layer.bias, layer.stride, layer.padding, layer.output_padding
        return compat.has_fast_transposed_3d(x, weight, *settings)

    assert not fast(x, layer.weight)
    with torch.no_grad():
        assert fast(x, layer.weight)
        assert not fast(x, layer.weight.contiguous())
        assert not fast(x.double(), layer.weight.double())
        found = layer(x)
    exact = layer.double()(x.double())
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=1e-5)


def test_functional_form():
    x, weight = torch.randn(2, 3, 9, 9), torch.randn(4, 3, 3, 3, requires_grad=True)
    for options in (dict(), dict(padding=1), dict(padding=(0, 1)), dict(stride=2)):
        torch.testing.assert_close(
            compat.convolution(x, weight, **options), F.conv2d(x, weight, **options)
        )
        small = x[..., :3, :3]
        torch.testing.assert_close(
            compat.convolution(small, weight, **options),
            F.conv2d(small, weight, **options),
        )


def test_pads_what_is_at_risk_alone(monkeypatch):
    padded = []
    pad = F.pad
    monkeypatch.setattr(
        small_convolutions.F, 'pad', lambda *args: padded.append(1) or pad(*args)
    )
    small, large = torch.randn(1, 3, 2, 9, 9), torch.randn(1, 3, 5, 9, 9)
    layer = nn.Conv3d(3, 4, 3, padding=1)
    strided = nn.Conv3d(3, 4, 3, (2, 1, 1), padding=1)
    for each in (layer, strided):
        compat.patch_small_convolutions(each)
    layer(small), strided(large)
    with torch.no_grad():
        strided(small)
    assert not padded
    strided(small)
    assert len(padded) == 1
    with torch.autocast('cpu', torch.bfloat16):
        layer(large)
        assert len(padded) == 1
        layer(small)
    assert len(padded) == 2
    layer.requires_grad_(False)
    with torch.autocast('cpu', torch.bfloat16):
        layer(small)
    assert len(padded) == 2


@pytest.mark.parametrize(
    'copied', [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_compute_with_their_own_weights(copied):
    layers = nn.Sequential(nn.Conv1d(3, 4, 3, padding=1), nn.ConvTranspose1d(4, 3, 3))
    compat.patch_small_convolutions(layers)
    x = torch.randn(1, 3, 2)
    found = copied(layers)
    torch.testing.assert_close(found(x), layers(x))
    for parameter in found.parameters():
        parameter.data.zero_()
    assert not found(x).any()
    assert layers(x).any()


def test_can_be_compiled():
    layers = nn.Sequential(
        nn.Conv3d(3, 4, (7, 3, 3), padding=(3, 1, 1)),
        nn.ConvTranspose3d(4, 3, (7, 3, 3), 2, (3, 1, 1), output_padding=1),
    )
    x = torch.randn(1, 3, 3, 4, 4)
    expected = layers(x)
    compat.patch_small_convolutions(layers)
    # torch 2.1 compiles around them, later versions all of it.
    compiled = torch.compile(layers, backend='eager')
    torch.testing.assert_close(compiled(x), expected)
