import math
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from mmengine.model import ExponentialMovingAverage, convert_sync_batchnorm
from properties import examples

from mmsign.models.layers.sequence import (
    ClipLengths,
    LinearOfEach,
    MaskedBatchNorm,
    PositionEncoding,
    convolved,
    length_mask,
    resample_time,
    sinusoid,
)


def test_length_mask():
    mask = length_mask(torch.tensor([0, 2, 3]), 3)
    assert mask.tolist() == [
        [False, False, False],
        [True, True, False],
        [True, True, True],
    ]


@examples(150)
@given(st.data())
def test_any_length_has_its_share_of_the_steps(data):
    frames = data.draw(st.integers(1, 10**6))
    steps = data.draw(st.integers(1, 10**6))
    lengths = sorted(data.draw(st.lists(st.integers(0, frames), max_size=5)))
    found = ClipLengths([*lengths, frames], frames).steps(steps)
    assert found[-1] == steps  # the whole clip is the whole output
    assert found == sorted(found) and found[0] >= 0
    for length, valid in zip(lengths, found):
        # The greatest whole number of steps within the clip's own share.
        assert valid * frames <= length * steps < (valid + 1) * frames


def test_on_the_device_of_an_output():
    lengths = ClipLengths([16, 10], 16)
    found = lengths.of(torch.zeros(2, 8, 3))
    assert found.tolist() == [8, 5]
    assert lengths.of(torch.zeros(2, 8)) is found  # copied once


def test_values_of_the_formula():
    table = sinusoid(7, 6)
    for t in range(7):
        for c in range(3):
            angle = t / 10000 ** (2 * c / 6)
            assert math.isclose(table[t, 2 * c], math.sin(angle), abs_tol=1e-5)
            assert math.isclose(table[t, 2 * c + 1], math.cos(angle), abs_tol=1e-5)


def test_any_length_and_nothing_stored():
    layer = PositionEncoding(8)
    assert not layer.state_dict()
    short, long = layer(torch.zeros(1, 3, 8)), layer(torch.zeros(1, 6000, 8))
    torch.testing.assert_close(short[0], long[0, :3])
    torch.testing.assert_close(long[0], sinusoid(6000, 8))


def test_a_running_mean_of_the_network_goes_on_after_longer_clips():
    layer = PositionEncoding(8)
    mean = ExponentialMovingAverage(layer, update_buffers=True)
    layer(torch.zeros(1, 600, 8))
    mean.update_parameters(layer)
    torch.testing.assert_close(mean(torch.zeros(1, 9, 8))[0], sinusoid(9, 8))
    # On whatever device its input is.
    assert layer(torch.zeros(1, 3, 8, device='meta')).device.type == 'meta'
    torch.testing.assert_close(layer(torch.zeros(1, 3, 8))[0], sinusoid(3, 8))


def test_steps_are_averaged_in_groups():
    x = torch.arange(10.0).view(1, 5, 2)
    y = resample_time(x, 1, 2)
    # The last group has one step.
    expected = [[1.0, 2.0], [5.0, 6.0], [8.0, 9.0]]
    torch.testing.assert_close(y, torch.tensor([expected]))


def test_steps_are_interpolated_between_their_centres():
    x = torch.tensor([[[0.0], [4.0]]])
    y = resample_time(x, 8, 4)
    torch.testing.assert_close(y[0, :, 0], torch.tensor([0.0, 1.0, 3.0, 4.0]))


def test_nothing_to_do():
    x = torch.randn(1, 3, 2)
    assert resample_time(x, 4, 4) is x


def batch(seed: int = 0):
    torch.manual_seed(seed)
    x = torch.randn(4, 9, 5) * 3 + 100
    return x, torch.tensor([9, 4, 1, 6])


def test_training_equals_batch_norm_over_the_valid_steps_alone():
    x, lengths = batch()
    mask = length_mask(lengths, x.shape[1])
    ours, plain = MaskedBatchNorm(5), torch.nn.BatchNorm1d(5)
    out = ours(x, mask)
    expected = plain(x[mask])
    torch.testing.assert_close(out[mask], expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.running_mean, plain.running_mean)
    torch.testing.assert_close(ours.running_var, plain.running_var, rtol=1e-4, atol=0)


def test_gradients_equal_those_of_batch_norm_over_the_valid_steps():
    x, lengths = batch()
    mask = length_mask(lengths, x.shape[1])
    weight = torch.randn(int(mask.sum()), 5)
    ours, plain = MaskedBatchNorm(5), torch.nn.BatchNorm1d(5)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    (ours(a, mask)[mask] * weight).sum().backward()
    (plain(b[mask]) * weight).sum().backward()
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-3, atol=1e-4)


def test_padding_has_no_influence():
    x, lengths = batch()
    mask = length_mask(lengths, x.shape[1])
    garbage = torch.where(mask[..., None], x, torch.full_like(x, 1e4))
    first, second = MaskedBatchNorm(5), MaskedBatchNorm(5)
    torch.testing.assert_close(first(x, mask)[mask], second(garbage, mask)[mask])
    torch.testing.assert_close(first.running_var, second.running_var)


def test_evaluation_is_plain_batch_norm():
    x, lengths = batch()
    ours = MaskedBatchNorm(5)
    ours.running_mean.uniform_(-1, 1)
    ours.running_var.uniform_(0.5, 2)
    ours.eval()
    plain = torch.nn.BatchNorm1d(5).eval()
    plain.load_state_dict(ours.state_dict())
    expected = plain(x.flatten(0, 1)).view_as(x)
    torch.testing.assert_close(ours(x, length_mask(lengths, 9)), expected)


def test_one_valid_step_in_all_is_finite():
    ours = MaskedBatchNorm(5)
    x = torch.randn(1, 3, 5)
    out = ours(x, torch.tensor([[True, False, False]]))
    assert torch.isfinite(out).all() and torch.isfinite(ours.running_var).all()


def _half(rank: int, port: int, folder: str) -> None:
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group('gloo', rank=rank, world_size=2)
    x, lengths = batch()
    part = slice(2 * rank, 2 * rank + 2)
    norm = MaskedBatchNorm(5)
    inputs = x[part].clone().requires_grad_()
    out = norm(inputs, length_mask(lengths[part], 9))
    mask = length_mask(lengths[part], 9)[..., None]
    ((out * mask) ** 3).sum().backward()
    torch.save((out.detach(), inputs.grad, norm.running_var), f'{folder}/{rank}.pt')
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path):
    import socket

    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    mp.spawn(_half, args=(port, str(tmp_path)), nprocs=2)
    x, lengths = batch()
    mask = length_mask(lengths, 9)
    norm = MaskedBatchNorm(5)
    inputs = x.clone().requires_grad_()
    out = norm(inputs, mask)
    ((out * mask[..., None]) ** 3).sum().backward()
    parts = [torch.load(tmp_path / f'{rank}.pt') for rank in (0, 1)]
    both = torch.cat([p[0] for p in parts])
    torch.testing.assert_close(both[mask], out.detach()[mask], rtol=1e-4, atol=1e-4)
    grads = torch.cat([p[1] for p in parts])
    torch.testing.assert_close(grads, inputs.grad, rtol=1e-3, atol=1e-3)
    for part in parts:
        torch.testing.assert_close(part[2], norm.running_var, rtol=1e-4, atol=0)


def test_runs_of_several_processes_keep_it():
    # MMEngine's sync_bn replaces batch norms by one that takes no mask.
    net = convert_sync_batchnorm(torch.nn.Sequential(MaskedBatchNorm(5)))
    assert type(net[0]) is MaskedBatchNorm


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_low_precision_input_keeps_its_dtype(dtype):
    x, lengths = batch()
    mask = length_mask(lengths, 9)
    with torch.autocast('cpu', torch.bfloat16):
        out = MaskedBatchNorm(5)(x.to(dtype), mask)
    assert out.dtype == dtype
    expected = MaskedBatchNorm(5)(x.to(dtype).float(), mask)
    torch.testing.assert_close(out.float(), expected, rtol=0, atol=0.02)


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
