"""Every layer on a GPU against PyTorch's in float64 on the CPU."""

from __future__ import annotations

import copy
import os
import shutil
import sysconfig
from pathlib import Path

import pytest
import torch
import torch.nn as nn
from torch.nn.functional import cosine_similarity

from mmsign import compat
from mmsign.models.layers import shifts, volume
from mmsign.models.layers.heatmaps import draw_heatmaps
from mmsign.models.layers.reuse import ReusedMemory
from mmsign.models.layers.sequence import MaskedBatchNorm
from mmsign.models.losses import CTCLoss, SelfDistillationLoss


def norm_and_relu(kind: type[nn.Sequential], norm: type[nn.Module]):
    return lambda channels: kind(norm(channels), nn.ReLU())


LAYERS = {
    'pointwise': (volume.Conv3d, nn.Conv3d, (16, 24, 1)),
    'in space': (volume.Conv3d, nn.Conv3d, (16, 24, (1, 3, 3), (1, 2, 2), (0, 1, 1))),
    'in time': (volume.Conv3d, nn.Conv3d, (16, 24, (3, 1, 1), (2, 1, 1), (1, 0, 0))),
    'full': (volume.Conv3d, nn.Conv3d, (16, 24, (7, 3, 3), (1, 2, 2), (3, 1, 1))),
    'stem of 79': (volume.Conv3d, nn.Conv3d, (79, 24, (1, 7, 7), (1, 2, 2), (0, 3, 3))),
    'transposed': (
        *(volume.ConvTranspose3d, nn.ConvTranspose3d),
        (16, 24, (7, 3, 3), (1, 2, 2), (3, 1, 1), (0, 1, 1)),
    ),
    'transposed in space': (
        *(volume.ConvTranspose3d, nn.ConvTranspose3d),
        (16, 24, (1, 3, 3), (1, 2, 2), (0, 1, 1), (0, 1, 1)),
    ),
    'batch norm': (volume.BatchNorm3d, nn.BatchNorm3d, (16,)),
    'batch norm and ReLU': (
        norm_and_relu(volume.Units, volume.BatchNorm3d),
        norm_and_relu(nn.Sequential, nn.BatchNorm3d),
        (16,),
    ),
    'batch norm of an odd number of channels, and ReLU': (
        norm_and_relu(volume.Units, volume.BatchNorm3d),
        norm_and_relu(nn.Sequential, nn.BatchNorm3d),
        (79,),
    ),
    'pool': (volume.MaxPool3d, nn.MaxPool3d, ((3, 3, 3), (2, 2, 2), (1, 1, 1))),
    'pool in space': (
        volume.MaxPool3d,
        nn.MaxPool3d,
        ((1, 3, 3), (1, 2, 2), (0, 1, 1)),
    ),
}


def results(layer: nn.Module, x: torch.Tensor, low: bool = False) -> list[torch.Tensor]:
    """Output and gradients of input and parameters."""
    x = x.clone().requires_grad_()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=low):
        y = layer(x)
    weight = torch.linspace(-1, 1, y.numel(), dtype=torch.float64).view(y.shape)
    (y * weight.to(y.device, torch.float32 if low else y.dtype)).sum().backward()
    found = [y, x.grad, *(p.grad for p in layer.parameters())]
    return [tensor.detach().double().cpu() for tensor in found]


@pytest.mark.parametrize('low', [False, True], ids=['float32', 'bfloat16'])
@pytest.mark.parametrize('name', LAYERS)
def test_a_layer(name, low, device):
    ours, theirs, settings = LAYERS[name]
    torch.manual_seed(0)
    layer, exact = ours(*settings), theirs(*settings).double()
    exact.load_state_dict(layer.state_dict())
    channels = settings[0] if isinstance(settings[0], int) else 16
    x = torch.randn(2, channels, 12, 14, 14)
    found = results(layer.to(device), x.to(device), low)
    for one, other in zip(found, results(exact, x.double()), strict=True):
        if low:
            assert cosine_similarity(one.ravel(), other.ravel(), dim=0) > 0.99
        else:
            scale = other.abs().max()
            torch.testing.assert_close(one / scale, other / scale, rtol=0, atol=2e-5)


def can_compile() -> bool:
    """Whether Triton has what it compiles its kernels with."""
    compiler = os.environ.get('CC') or shutil.which('gcc') or shutil.which('clang')
    header = Path(sysconfig.get_path('include'), 'Python.h')
    return compat.has_triton() and compiler is not None and header.is_file()


@pytest.mark.skipif(not can_compile(), reason='needs Triton and a C compiler')
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_norms_and_pools_are_by_kernels_of_our_own(dtype, cuda):
    if torch.cuda.get_device_capability(cuda) < (7, 0):
        pytest.skip('needs compute capability 7.0')
    assert shifts.kernels_for(torch.zeros(1, 8, 1, 1, 1, dtype=dtype, device=cuda))


def test_statistics_of_many_rows(device):
    torch.manual_seed(0)
    x = torch.randn(2, 24, 16, 56, 56) / 2 + 10
    ours, exact = volume.BatchNorm3d(24), nn.BatchNorm3d(24).double()
    y, expected = ours.to(device)(x.to(device)), exact(x.double())
    torch.testing.assert_close(y.cpu().double(), expected, rtol=0, atol=5e-4)
    for name in ('running_mean', 'running_var'):
        found = getattr(ours, name).cpu().double()
        torch.testing.assert_close(found, getattr(exact, name), rtol=1e-5, atol=0)


def test_batch_norm_and_relu_in_evaluation(device):
    torch.manual_seed(0)
    layer = volume.Units(volume.BatchNorm3d(24), nn.ReLU()).eval()
    layer[0].running_mean.normal_(), layer[0].running_var.uniform_(0.5, 2)
    exact = nn.Sequential(nn.BatchNorm3d(24), nn.ReLU()).double().eval()
    exact.load_state_dict(layer.state_dict())
    x = torch.randn(2, 24, 5, 6, 7)
    with torch.no_grad():
        found = layer.to(device)(x.to(device)).cpu().double()
        torch.testing.assert_close(found, exact(x.double()), rtol=0, atol=1e-5)


def test_channels_in_a_wider_memory(device):
    torch.manual_seed(0)
    layer = volume.Conv3d(79, 16, (1, 7, 7), (1, 2, 2), (0, 3, 3)).to(device)
    x = torch.randn(2, 79, 4, 16, 16, device=device)
    wide = ReusedMemory().empty('x', tuple(x.shape), x.dtype, device)
    wide.copy_(x)
    torch.testing.assert_close(layer(wide), layer(x), rtol=1e-4, atol=1e-4)


def test_masked_batch_norm(device):
    torch.manual_seed(0)
    x, mask = torch.randn(3, 9, 8), torch.rand(3, 9) > 0.4
    norm = MaskedBatchNorm(8)
    exact = copy.deepcopy(norm)
    expected = exact(x, mask)[mask]
    found = norm.to(device)(x.to(device), mask.to(device)).cpu()[mask]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    for name, value in norm.state_dict().items():
        expected = exact.state_dict()[name]
        torch.testing.assert_close(
            value.cpu().to(expected), expected, rtol=0, atol=1e-5
        )


def test_losses(device):
    torch.manual_seed(0)
    logits = [torch.randn(2, steps, 12) for steps in (9, 18)]
    lengths, targets = [[9, 7], [18, 15]], [[3, 3, 5], [1]]
    heads = dict(video=logits[0], keypoint=logits[0].flip(1))
    valid = torch.tensor(lengths[0])

    def terms(move) -> list[torch.Tensor]:
        leaves = [move(x).requires_grad_() for x in logits]
        ctc = CTCLoss()(leaves, lengths, targets, weights=[1.0, 0.2])
        moved = {name: move(x) for name, x in heads.items()}
        other = SelfDistillationLoss()(moved, move(valid))
        torch.stack(ctc).sum().backward()
        found = [*ctc, *other.values(), *(x.grad for x in leaves)]
        return [x.detach().cpu().float() for x in found]

    torch.testing.assert_close(
        terms(lambda x: x.clone().to(device)), terms(torch.clone), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_heatmaps(dtype, device):
    torch.manual_seed(0)
    points = torch.rand(2, 5, 79, 3) * 60
    boxes = torch.tensor([[2.0, 3, 50, 40], [0, 0, 60, 60]])
    expected = draw_heatmaps(points, boxes, (24, 24), 4.0)
    shape = 2, 79, 5, 24, 24
    out = ReusedMemory().empty('maps', shape, dtype, device)
    found = draw_heatmaps(
        points.to(device), boxes.to(device), (24, 24), 4.0, dtype=dtype, out=out
    )
    tolerance = 1e-5 if dtype == torch.float32 else 0.02
    torch.testing.assert_close(found.float().cpu(), expected, rtol=0, atol=tolerance)
    assert found.data_ptr() == out.data_ptr()
