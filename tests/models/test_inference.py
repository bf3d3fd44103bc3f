import copy

import numpy as np
import pytest
import torch
import torch.nn as nn
from mmcv.cnn import ConvModule
from tiny_models import network_inputs, sample, two_stream
from torch.nn.modules.batchnorm import _BatchNorm

from mmsign.models.inference import (
    fold_batch_norms,
    inference_context,
    prepare_for_inference,
)


@pytest.fixture(scope='module')
def trained():
    """A full network whose statistics are not those of the initialisation."""
    torch.manual_seed(1)
    network = two_stream()
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    return network.eval()


@pytest.mark.parametrize(
    'conv',
    [
        nn.Conv3d(3, 8, 3),
        nn.Conv3d(4, 8, 1, groups=2, bias=False),
        nn.ConvTranspose3d(3, 8, (1, 3, 3), stride=(1, 2, 2), bias=False),
        nn.Conv2d(3, 8, 3),
    ],
)
def test_a_folded_pair_computes_the_same(conv):
    torch.manual_seed(0)
    norm = {4: nn.BatchNorm2d, 5: nn.BatchNorm3d}[conv.weight.dim()](8, eps=1e-3)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.2, 3)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    pair = nn.Sequential(conv, norm, nn.ReLU()).eval()
    x = torch.randn(2, conv.in_channels, *[6] * (conv.weight.dim() - 2))
    expected = pair(x)
    assert fold_batch_norms(pair) == 1
    assert isinstance(pair[1], nn.Identity)
    torch.testing.assert_close(pair(x), expected, rtol=1e-5, atol=1e-5)


def test_relus_behind_folded_pairs_need_no_memory():
    shared = nn.ReLU()
    pair = nn.Sequential(nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2), shared)
    # Its input is also the sum's.
    apart = nn.Sequential(nn.Identity(), shared)
    fold_batch_norms(nn.Sequential(pair, apart).eval())
    assert pair[2].inplace and not shared.inplace
    x = -torch.ones(1)
    assert apart(x) == 0 and x == -1


def test_mmcv_conv_modules_are_folded():
    torch.manual_seed(0)
    block = ConvModule(
        3, 5, 3, norm_cfg=dict(type='BN3d'), conv_cfg=dict(type='Conv3d')
    )
    block.norm.running_mean.normal_()
    block.eval()
    x = torch.randn(1, 3, 5, 5, 5)
    expected = block(x)
    assert fold_batch_norms(block) == 1
    torch.testing.assert_close(block(x), expected, rtol=1e-5, atol=1e-5)


def test_what_is_no_pair_stays():
    apart = nn.Sequential(nn.Conv3d(1, 2, 1), nn.ReLU(), nn.BatchNorm3d(2)).eval()
    batch = nn.Sequential(
        nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2, track_running_stats=False)
    ).eval()
    assert fold_batch_norms(apart) == fold_batch_norms(batch) == 0
    with pytest.raises(ValueError, match='training mode'):
        fold_batch_norms(nn.Sequential(nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2)))


def test_the_whole_network_gives_the_same_logits(trained):
    inputs = network_inputs(clips=1, frames=8)
    with torch.no_grad():
        expected = trained(inputs)
    fast = copy.deepcopy(trained)
    assert prepare_for_inference(fast, torch.float32) == torch.float32
    assert not any('pyramid' in key for key in fast.state_dict())
    assert not any(isinstance(m, nn.BatchNorm3d) for m in fast.modules())
    with inference_context('cpu', torch.float32):
        found = fast(inputs)
    for name in ('video', 'keypoint', 'joint', 'average'):
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-5)


def test_bfloat16_from_packed_clips(trained):
    """End to end: the preprocessor writes what the network takes."""
    rng = np.random.default_rng(0)
    frames = torch.from_numpy(rng.integers(0, 256, (3, 8, 32, 32), dtype=np.uint8))
    data = dict(
        inputs=dict(video=[frames], keypoints=[torch.rand(8, 79, 3) * 64]),
        data_samples=[sample(8)],
    )
    with torch.no_grad():
        ready = trained.data_preprocessor(data)
        expected = trained(ready['inputs'], ready['data_samples'])['average']
    fast = copy.deepcopy(trained)
    dtype = prepare_for_inference(fast, torch.bfloat16)
    with inference_context('cpu', dtype):
        ready = fast.data_preprocessor(data)
        video = ready['inputs']['video']
        assert video.dtype == torch.bfloat16
        assert video.is_contiguous(memory_format=torch.channels_last_3d)
        found = fast(ready['inputs'], ready['data_samples'])['average']
    assert (found - expected).abs().max() < 0.02
