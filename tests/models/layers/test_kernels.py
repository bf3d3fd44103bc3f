"""The kernels for GPUs, interpreted on a CPU, against PyTorch's layers."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import interpreted_kernels
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from mmsign.models.backbones.s3d import _Inception
from mmsign.models.layers import shifts, volume


def can_interpret() -> bool:
    """Whether there is Triton 3.7 or later, whose interpreter knows numpy's arrays."""
    try:
        version = importlib.metadata.version('triton')
    except importlib.metadata.PackageNotFoundError:
        return False
    return tuple(map(int, version.split('.')[:2])) >= (3, 7)


pytestmark = pytest.mark.skipif(not can_interpret(), reason='needs Triton 3.7')
SUPPORT = Path(interpreted_kernels.__file__).parent
DTYPES = {'float32': torch.float32, 'bfloat16': torch.bfloat16}


def rows(count: int, channels: int, dtype: str, relu: bool = True, seed: int = 0):
    """One call; values whose variance is small against their mean."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    x = random(count, channels) / 2 + 10 * random(channels)
    # Of an output that was one of several parts side by side.
    gradient = random(count, 2 * channels)[:, channels:]
    return dict(
        x=x.to(DTYPES[dtype]),
        gradient=gradient.to(DTYPES[dtype]),
        weight=random(channels),
        bias=random(channels),
        mean=random(channels),
        var=random(channels).abs(),
        momentum=0.1,
        eps=1e-3,
        relu=relu,
    )


def layer(saving: bool) -> dict:
    torch.manual_seed(0)
    sizes = 8, (16, 8, 16, 8, 8, 8), dict(eps=1e-3, momentum=0.1)
    x = torch.randn(2, 8, 2, 3, 4).contiguous(memory_format=torch.channels_last_3d)
    state = _Inception(*sizes).state_dict()
    return dict(sizes=sizes, state=state, x=x, saving=saving)


ROWS = {
    'one program, float32': rows(60, 24, 'float32'),
    'one program, bfloat16': rows(60, 24, 'bfloat16'),
    'several in each direction, float32': rows(300, 72, 'float32'),
    'several in each direction, bfloat16': rows(300, 72, 'bfloat16'),
    'channels that make no units': rows(50, 5, 'float32'),
    'without ReLU': rows(50, 8, 'float32', relu=False),
    'two rows': rows(2, 8, 'float32'),
    'averages that stay': rows(50, 8, 'float32') | dict(momentum=0.0),
}


def places(shape: tuple, dtype: str, *pool: tuple) -> dict:
    """Some are alike, as whatever a ReLU made 0."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator).relu() - 0.5
    return dict(x=x.to(DTYPES[dtype]), pool=pool)


POOLS = {
    'in space': places((2, 3, 7, 8, 8), 'bfloat16', (1, 3, 3), (1, 2, 2), (0, 1, 1)),
    'in both': places((1, 5, 6, 5, 72), 'float32', [3, 3, 3], [2, 2, 2], [1, 1, 1]),
    'at every place': places(
        (2, 4, 4, 3, 5), 'bfloat16', (3, 3, 3), (1, 1, 1), (1, 1, 1)
    ),
    'without padding': places(
        (1, 5, 4, 4, 8), 'float32', (2, 2, 2), (2, 2, 2), (0, 0, 0)
    ),
}


def convolution(kind: str, channels: tuple, frames: int, *sizes: tuple) -> dict:
    torch.manual_seed(0)
    layer = getattr(volume, kind)(*channels, *sizes, bias=False)
    x = torch.randn(2, channels[0], frames, 4, 4)
    x = x.contiguous(memory_format=torch.channels_last_3d)
    return dict(kind=kind, sizes=(*channels, *sizes), weight=layer.weight.data, x=x)


IN_TIME = (7, 3, 3), (2, 2, 2), (3, 1, 1)
CONVOLUTIONS = {
    'towards the smaller one': convolution('Conv3d', (8, 16), 7, *IN_TIME),
    'of few frames': convolution('Conv3d', (8, 5), 2, *IN_TIME),
    'at every frame': convolution(
        *('Conv3d', (5, 8), 5, (3, 3, 3), (1, 1, 1), (1, 1, 1))
    ),
    'towards the larger one': convolution(
        *('ConvTranspose3d', (16, 8), 4, *IN_TIME, (1, 1, 1))
    ),
}


def not_a_number() -> dict:
    case = places((1, 3, 4, 4, 8), 'float32', (3, 3, 3), (1, 1, 1), (1, 1, 1))
    case['x'][0, 1, 1, 1, 3] = torch.nan
    return case


@pytest.fixture(scope='module')
def results(tmp_path_factory) -> dict[str, list[torch.Tensor]]:
    folder = tmp_path_factory.mktemp('interpreted')
    wrong = rows(50, 8, 'float32')
    wrong['x'][3, 2] = torch.nan
    # Whether kernels can be used is found out within a layer that is checkpointed.
    cases = dict(saving=layer(True), layer=layer(False), wrong=wrong)
    cases |= ROWS | POOLS | CONVOLUTIONS
    cases['no number'] = not_a_number()
    torch.save(cases, folder / 'cases.pt')
    files = folder / 'cases.pt', folder / 'results.pt'
    printed('interpreted_kernels.py', *files, TRITON_INTERPRET='1')
    return torch.load(folder / 'results.pt', weights_only=True)


def printed(script: str, *arguments, **environment: str) -> str:
    """By a process of its own, as Triton must be imported in the mode it is used in."""
    command = [sys.executable, SUPPORT / script, *arguments]
    environment = os.environ | environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected(case: dict) -> list[torch.Tensor]:
    """The same in float64."""
    names = 'x', 'weight', 'bias', 'mean', 'var'
    x, weight, bias, *averages = (case[name].double() for name in names)
    leaves = [tensor.requires_grad_() for tensor in (x, weight, bias)]
    settings = True, case['momentum'], case['eps']
    y = F.batch_norm(x, *averages, weight, bias, *settings)
    y = y.relu() if case['relu'] else y
    y.backward(case['gradient'].double())
    return [y.detach(), *(leaf.grad for leaf in leaves), *averages]


def close(found: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
    scale = expected.abs().max().clamp(min=1e-30)
    beyond = ((found.double() - expected) / scale).abs() > tolerance
    # A value next to the ReLU's corner may be on either side of it.
    assert beyond.sum() <= found.numel() / 1000, f'{beyond.sum()} of {found.numel()}'


@pytest.mark.parametrize('name', ROWS)
def test_rows(name, results):
    case, found = ROWS[name], results[name]
    for one, other in zip(found, expected(case), strict=True):
        close(one, other, 0.01 if one.dtype == torch.bfloat16 else 2e-5)


def test_averages_that_stay(results):
    case, found = ROWS['averages that stay'], results['averages that stay']
    assert torch.equal(found[4], case['mean']) and torch.equal(found[5], case['var'])


def of_places(case: dict) -> list[torch.Tensor]:
    x = case['x'].clone().requires_grad_()
    y = F.max_pool3d(x.permute(0, 4, 1, 2, 3), *case['pool']).permute(0, 2, 3, 4, 1)
    y.backward(interpreted_kernels.ramp(y))
    return [y.detach(), x.grad]


@pytest.mark.parametrize('name', POOLS)
def test_pools(name, results):
    # float32 for its sums of gradients.
    case = POOLS[name] | dict(x=POOLS[name]['x'].float())
    tolerance = 0.01 if POOLS[name]['x'].dtype == torch.bfloat16 else 1e-6
    for found, expected in zip(results[name], of_places(case), strict=True):
        torch.testing.assert_close(
            found.float(), expected, rtol=tolerance, atol=tolerance
        )


def test_a_pool_does_not_hide_what_is_no_number(results):
    y, expected = results['no number'][0], of_places(not_a_number())[0]
    assert torch.equal(y.isnan(), expected.isnan()) and y.isnan().sum() > 1


def test_what_is_no_number_is_not_hidden(results):
    y, of_x, *_, mean, _ = results['wrong']
    for tensor in (y, of_x, mean):
        wrong = tensor.isnan()
        assert wrong[..., 2].all() and wrong.sum() == wrong[..., 2].numel()


@pytest.mark.parametrize('name', CONVOLUTIONS)
def test_convolutions_in_time(name, results):
    case = CONVOLUTIONS[name]
    layer = getattr(nn, case['kind'])(*case['sizes'], bias=False).double()
    layer.weight.data = case['weight'].double()
    exact = interpreted_kernels.trained(layer, case['x'].double())
    for one, other in zip(results[name], exact, strict=True):
        close(one, other.detach(), 2e-6)


@pytest.mark.parametrize('name', ['layer', 'saving'])
def test_an_inception_layer_is_the_same_as_without_them(name, results):
    case = layer(name == 'saving')
    plain = _Inception(*case['sizes'])
    plain.load_state_dict(case['state'])
    x = case['x'].double()
    exact = interpreted_kernels.trained(plain.double(), x)
    exact.append(interpreted_kernels.evaluated(plain, x))
    for one, other in zip(results[name], exact, strict=True):
        close(one, other.detach().double(), 2e-5)


@pytest.mark.slow
def test_gpus_read_and_write_rows_in_pieces_of_16_bytes(tmp_path):
    said = printed('compiled_kernels.py', TRITON_CACHE_DIR=str(tmp_path))
    notice, usable, *lines = said.splitlines()
    assert 'Triton cannot be used on cpu' in notice and usable == 'False'
    assert len(lines) == 3 * 5 + 3 + 2
    for line in map(json.loads, lines):
        # Whatever a call's sizes are.
        assert re.search(r'ld\.global\S*\.v4\.b32', line['ptx']), line['name']
        # Those of 16 bit are of rows alone; a channel's sums are 32.
        assert not re.search(r'(ld|st)\.global\S*\.b16', line['ptx']), line['name']


def test_they_are_for_gpus():
    assert shifts.kernels_for(torch.zeros(1, 8, 1, 1, 1)) is None
