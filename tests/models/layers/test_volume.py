"""Every layer against PyTorch's own, in float64."""

import io
from contextlib import nullcontext

import pytest
import torch
import torch.nn as nn
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign import compat
from mmsign.models.layers import volume
from mmsign.models.layers.reuse import ReusedMemory
from mmsign.models.layers.volume import to_memory_format


def same(ours: nn.Module, theirs: nn.Module, x: torch.Tensor, *arguments) -> None:
    """Outputs and all gradients agree to 1e-10, and the output lies channels last."""
    theirs.load_state_dict(ours.state_dict())
    results = []
    for layer in (ours, theirs):
        leaf = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        y = layer(leaf, *arguments)
        weights = torch.rand(
            y.shape, generator=torch.Generator().manual_seed(3), dtype=y.dtype
        )
        (y * weights).sum().backward()
        results.append((y, leaf.grad, *(p.grad for p in layer.parameters())))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    assert results[0][0].permute(0, 2, 3, 4, 1).is_contiguous()


def clip(shape, last: bool = True, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return x.contiguous(memory_format=torch.channels_last_3d) if last else x


@st.composite
def convolutions(draw) -> dict:
    """Thin ones in space, in time, and full ones."""
    k = draw(st.integers(1, 7))
    size = draw(st.integers(1, 4))
    kind = draw(st.sampled_from(['point', 'space', 'time', 'full']))
    kernel = dict(
        point=(1, 1, 1), space=(1, size, size), time=(k, 1, 1), full=(k, size, size)
    )[kind]
    stride = tuple(draw(st.integers(1, 2)) if n > 1 else 1 for n in kernel)
    padding = tuple(draw(st.integers(0, n // 2)) for n in kernel)
    return dict(
        in_channels=draw(st.integers(2, 3)),
        out_channels=draw(st.integers(2, 3)),
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        bias=draw(st.booleans()),
    )


SHAPES = st.tuples(*[st.integers(1, 2), *[st.integers(7, 9), *[st.integers(4, 6)] * 2]])


@examples(60)
@given(convolutions(), SHAPES, st.booleans())
def test_convolutions(settings, shape, last):
    x = clip((shape[0], settings['in_channels'], *shape[1:]), last)
    same(volume.Conv3d(**settings).double(), nn.Conv3d(**settings).double(), x)


@examples(60)
@given(convolutions(), SHAPES, st.booleans(), st.data())
def test_transposed_convolutions(settings, shape, last, data):
    more = [data.draw(st.integers(0, s - 1)) for s in settings['stride']]
    x = clip((shape[0], settings['in_channels'], *shape[1:]), last)
    ours = volume.ConvTranspose3d(**settings).double()
    theirs = nn.ConvTranspose3d(**settings).double()
    size = [n + extra for n, extra in zip(theirs(x).shape[2:], more)]
    same(ours, theirs, x, size)


@pytest.mark.parametrize('bias', [True, False])
def test_transposed_convolutions_where_onednn_is_faster(monkeypatch, bias):
    # It does not compute in float64.
    monkeypatch.setattr(compat, 'has_fast_transposed_3d', lambda *_: True)
    shape = dict(stride=(2, 2, 1), padding=(3, 1, 1), bias=bias)
    ours, theirs = (
        kind(3, 4, (7, 3, 3), **shape).double()
        for kind in (volume.ConvTranspose3d, nn.ConvTranspose3d)
    )
    theirs.load_state_dict(ours.state_dict())
    x = clip((2, 3, 4, 5, 6))
    found, expected = (layer(x, [8, 9, 6]) for layer in (ours, theirs))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize('frames', [1, 2, 3])
def test_clips_shorter_than_the_kernel(frames):
    shape = dict(kernel_size=(7, 3, 3), stride=(1, 2, 2), padding=(3, 1, 1))
    x = clip((2, 3, frames, 5, 6))
    ours, theirs = (kind(3, 4, **shape).double() for kind in (volume.Conv3d, nn.Conv3d))
    same(ours, theirs, x)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-10, atol=1e-10)
    ours = volume.ConvTranspose3d(3, 4, **shape).double()
    same(ours, nn.ConvTranspose3d(3, 4, **shape).double(), x)


@pytest.mark.parametrize(
    'changes', [dict(dilation=2), dict(groups=2), dict(padding_mode='circular')]
)
def test_what_no_network_here_has_is_pytorchs(changes):
    settings = dict(kernel_size=3, padding=1) | changes
    ours, theirs = (
        kind(4, 4, **settings).double() for kind in (volume.Conv3d, nn.Conv3d)
    )
    theirs.load_state_dict(ours.state_dict())
    x = clip((1, 4, 5, 5, 5))
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize('training', [True, False])
def test_batch_norm(training):
    ours, theirs = volume.BatchNorm3d(3).double(), nn.BatchNorm3d(3).double()
    ours.running_mean.normal_()
    ours.train(training), theirs.train(training)
    same(ours, theirs, clip((2, 3, 4, 5, 6)))
    volume.count_batches(ours)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize(
    'shape',
    [
        ((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        ((3, 3, 3), (2, 2, 2), (1, 1, 1)),
        ((2, 2, 2), (2, 2, 2), (0, 0, 0)),
        ((3, 3, 3), (1, 1, 1), (1, 1, 1)),
    ],
)
def test_max_pooling(shape):
    same(volume.MaxPool3d(*shape), nn.MaxPool3d(*shape), clip((2, 3, 7, 8, 9)))


@pytest.mark.parametrize('clips', [1, 2])
@pytest.mark.parametrize('training', [False, True])
def test_what_every_layer_puts_out_is_known_to_lie_with_the_channels_last(
    clips, training
):
    last = torch.channels_last_3d
    x = clip((clips, 4, 6, 8, 8)).float().requires_grad_(training)
    x = x.contiguous(memory_format=last)
    for layer in (
        volume.Conv3d(4, 8, (1, 3, 3), padding=(0, 1, 1), bias=False),
        volume.BatchNorm3d(8),
        nn.ReLU(),
        volume.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        volume.Conv3d(8, 8, (3, 1, 1), padding=(1, 0, 0), bias=False),
        volume.MaxPool3d((3, 3, 3), (1, 1, 1), (1, 1, 1)),
        volume.Conv3d(8, 4, 1, bias=False),
        volume.ConvTranspose3d(4, 4, (1, 3, 3), padding=(0, 1, 1), bias=False),
        volume.ConvTranspose3d(4, 4, (3, 1, 1), padding=(1, 0, 0), bias=False),
        volume.Conv3d(4, 4, (7, 3, 3), (1, 2, 2), (3, 1, 1), bias=False),
    ):
        with torch.set_grad_enabled(training):
            x = layer.train(training)(x)
        # Else a concatenation would write it down in another order.
        both = torch.cat([x, x], dim=1)
        assert both.is_contiguous(memory_format=last), layer


def test_autocast_decides_the_dtype():
    x = clip((1, 3, 8, 6, 6)).float().requires_grad_()
    layers = [
        volume.Conv3d(3, 3, (7, 3, 3), padding=(3, 1, 1), bias=False),
        volume.BatchNorm3d(3),
        volume.MaxPool3d((3, 3, 3), (2, 2, 2), (1, 1, 1)),
        volume.ConvTranspose3d(3, 3, (7, 3, 3), padding=(3, 1, 1), bias=False),
    ]
    with torch.autocast('cpu', torch.bfloat16):
        y = x
        for layer in layers:
            y = layer(y)
            assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert x.grad.dtype == layers[0].weight.grad.dtype == torch.float32


def test_several_units_on_one_input():
    # As each alone: outputs, gradients, running averages.
    x = clip((2, 3, 4, 5, 6))
    results = []
    for together in (True, False):
        torch.manual_seed(0)
        convs = [volume.Conv3d(3, n, 1, bias=False).double() for n in (2, 4, 1)]
        norms = [volume.BatchNorm3d(n).double() for n in (2, 4, 1)]
        leaf = x.detach().clone().requires_grad_()
        if together:
            parts = volume.pointwise_units(leaf, convs, norms)
        else:
            parts = [norm(conv(leaf)).relu() for conv, norm in zip(convs, norms)]
        sum((i + 1) * y.square().sum() for i, y in enumerate(parts)).backward()
        layers = nn.ModuleList([*convs, *norms])
        gradients = [p.grad for p in layers.parameters()]
        results.append([*parts, leaf.grad, *gradients, *layers.buffers()])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_weights_cast_together_have_the_same_gradients():
    x = clip((1, 3, 8, 6, 6)).float()
    gradients = []
    for together in (True, False):
        torch.manual_seed(0)
        net = nn.Sequential(
            volume.Conv3d(3, 4, (7, 3, 3), padding=(3, 1, 1)),
            volume.Conv3d(4, 4, (3, 1, 1), padding=(1, 0, 0)),
            volume.Conv3d(4, 4, 1),
            volume.ConvTranspose3d(4, 3, (7, 3, 3), padding=(3, 1, 1)),
        )
        net[1].weight.requires_grad_(False)
        volume.arrange_weights(net)
        cast = volume.weights_cast(ReusedMemory(), net) if together else nullcontext()
        with torch.autocast('cpu', torch.bfloat16), cast:
            y = net(x)
        assert all(part.cast_weight is None for part in net)
        y.float().square().sum().backward()
        gradients.append([p.grad for p in net.parameters()])
    for found, expected in zip(*gradients, strict=True):
        assert (found is None) == (expected is None)
        if found is not None:
            assert found.dtype == torch.float32 and found.stride() == expected.stride()
            torch.testing.assert_close(found, expected)


def test_channels_that_lie_in_a_wider_memory():
    memory = torch.randn(2, 4, 6, 6, 8, dtype=torch.float64)
    x = memory[..., :3].permute(0, 4, 1, 2, 3)
    shape = dict(kernel_size=(1, 3, 3), padding=(0, 1, 1), bias=False)
    ours, theirs = (kind(3, 4, **shape).double() for kind in (volume.Conv3d, nn.Conv3d))
    theirs.load_state_dict(ours.state_dict())
    y, expected = ours(x), theirs(x)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    for result in (y, expected):
        result.square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    # Not at the end of the memory, where there is no more.
    torch.testing.assert_close(
        ours(memory[..., 5:].permute(0, 4, 1, 2, 3)),
        theirs(memory[..., 5:].permute(0, 4, 1, 2, 3)),
    )


def test_arranged_weights_are_the_same_weights():
    net = nn.Sequential(
        volume.Conv3d(3, 4, (7, 3, 3), padding=(3, 1, 1)),
        volume.Conv3d(4, 4, (3, 1, 1), padding=(1, 0, 0)),
        volume.Conv3d(4, 4, (1, 3, 3), padding=(0, 1, 1)),
        volume.ConvTranspose3d(4, 3, (7, 3, 3), padding=(3, 1, 1)),
    ).double()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    x = clip((1, 3, 8, 6, 6))
    expected = net(x)
    volume.arrange_weights(net)
    torch.testing.assert_close(net.state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(net(x), expected, rtol=1e-12, atol=1e-12)


def test_2d_and_3d_weights_each_in_their_own():
    net = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3), nn.Linear(3, 4)])
    values = [parameter.clone() for parameter in net.parameters()]
    to_memory_format(net, torch.channels_last_3d)
    assert net[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert net[1].weight.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(list(net.parameters()), values)
    to_memory_format(net, torch.contiguous_format)
    assert net[0].weight.is_contiguous() and net[1].weight.is_contiguous()


class Asks(nn.Module):
    def forward(self, x):
        self.answer = volume.is_exporting()
        return x + 1


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_it_is_known_that_onnx_is_written():
    pytest.importorskip('onnx')
    asks, x = Asks(), torch.zeros(1)
    torch.onnx.export(asks, (x,), io.BytesIO(), **compat.torchscript_exporter())
    assert asks.answer
    torch.jit.trace(asks, (x,))
    assert not asks.answer
    asks(x)
    assert not asks.answer
