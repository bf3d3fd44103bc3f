import pytest
import torch
import torch.nn as nn

from mmsign.models.layers import thin_conv
from mmsign.models.layers.thin_conv import ThinConv3d

FORMATS = [torch.contiguous_format, torch.channels_last_3d]


@pytest.fixture
def fast(monkeypatch) -> list[str]:
    """Which of the fast ways were taken."""
    taken = []
    for name in ('_pointwise', '_in_time', '_in_space'):
        way = getattr(ThinConv3d, name)

        def noted(self, x, way=way, name=name):
            taken.append(name)
            return way(self, x)

        monkeypatch.setattr(ThinConv3d, name, noted)
    return taken


def has_layout(y: torch.Tensor, memory_format: torch.memory_format) -> bool:
    """Also by the stride of a single clip, by which PyTorch chooses its kernels."""
    expected = torch.empty(y.shape).contiguous(memory_format=memory_format)
    return y.stride() == expected.stride()


def output_like_conv3d(conv: ThinConv3d, x: torch.Tensor) -> torch.Tensor:
    """The output, which and whose gradients equal ``nn.Conv3d``'s."""
    results = []
    for forward in (conv.forward, lambda x: nn.Conv3d.forward(conv, x)):
        leaf = x.detach().requires_grad_()
        y = forward(leaf)
        conv.zero_grad()
        y.square().sum().backward()
        results.append([y, leaf.grad, *(p.grad.clone() for p in conv.parameters())])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    return results[0][0]


def test_layouts_are_told_apart():
    x = torch.empty(1, 4, 2, 3, 3).contiguous(memory_format=torch.channels_last_3d)
    assert has_layout(x, torch.channels_last_3d)
    assert not has_layout(x, torch.contiguous_format)
    odd = x.as_strided(x.shape, (4, *x.stride()[1:]))
    assert odd.is_contiguous(memory_format=torch.channels_last_3d)
    assert not has_layout(odd, torch.channels_last_3d)


@pytest.mark.parametrize('memory_format', FORMATS)
@pytest.mark.parametrize('clips', [1, 2])
@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize(
    ('kernel', 'padding', 'way'),
    [(1, 0, '_pointwise'), ((3, 1, 1), (1, 0, 0), '_in_time')],
)
def test_equals_conv3d(kernel, padding, way, bias, clips, memory_format, fast):
    torch.manual_seed(0)
    conv = ThinConv3d(5, 7, kernel, padding=padding, bias=bias)
    conv = conv.to(memory_format=memory_format)
    x = torch.randn(clips, 5, 6, 3, 4).contiguous(memory_format=memory_format)
    assert has_layout(output_like_conv3d(conv, x), memory_format)
    assert fast == [way]


@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('stride', [1, (1, 2, 2)])
@pytest.mark.parametrize('kernel', [(1, 3, 3), (1, 1, 5)])
def test_frame_by_frame_equals_conv3d(kernel, stride, bias, fast):
    torch.manual_seed(0)
    padding = tuple(k // 2 for k in kernel)
    conv = ThinConv3d(5, 7, kernel, stride, padding, bias=bias)
    x = torch.randn(1, 5, 6, 8, 10).contiguous(memory_format=torch.channels_last_3d)
    y = output_like_conv3d(conv, x)
    assert fast == ['_in_space']
    assert has_layout(y, torch.channels_last_3d)
    # Several clips, and the channels first, are oneDNN's already.
    for other in (x.contiguous(), x.expand(2, -1, -1, -1, -1)):
        assert torch.equal(conv(other), nn.Conv3d.forward(conv, other))
    assert fast == ['_in_space']


@pytest.mark.parametrize(
    'arguments',
    [
        dict(kernel_size=1, stride=2),
        dict(kernel_size=1, groups=5),
        dict(kernel_size=1, padding=1),
        dict(kernel_size=(7, 1, 1), stride=(2, 1, 1), padding=(3, 0, 0)),
        dict(kernel_size=(3, 1, 1), dilation=(2, 1, 1)),
        dict(kernel_size=(3, 1, 1), padding='same'),
        dict(kernel_size=(3, 1, 1), padding=(1, 0, 0), padding_mode='replicate'),
        dict(kernel_size=(1, 3, 3), padding=(1, 1, 1)),
        dict(kernel_size=3, padding=1),
        dict(kernel_size=(1, 3, 3), stride=(2, 1, 1)),
    ],
)
def test_other_kernels_are_left_to_conv3d(arguments, fast):
    conv = ThinConv3d(5, 5, **arguments)
    x = torch.randn(1, 5, 8, 4, 4).contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(conv(x), nn.Conv3d.forward(conv, x)) and not fast


def test_exported_as_a_convolution(monkeypatch, fast):
    monkeypatch.setattr(thin_conv, '_exporting', lambda: True)
    ThinConv3d(5, 5, 1)(torch.randn(1, 5, 8, 4, 4))
    assert not fast
