from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import OPTIM_WRAPPERS

from mmsign.compat import mixed_precision
from mmsign.compat.mixed_precision import (
    autocast_dtype,
    cpu_has_bfloat16,
    gpu_has_bfloat16,
    use_mixed_precision,
)
from mmsign.errors import ConfigError


@pytest.fixture
def on_cpu(monkeypatch):
    monkeypatch.setattr(mixed_precision, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(mixed_precision, 'cpu_has_bfloat16', lambda: True)


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.setattr(mixed_precision, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda: True)


def test_cpu_wrapper_trains_in_bfloat16():
    model = torch.nn.Linear(4, 1)
    wrapper = OPTIM_WRAPPERS.build(
        {
            'type': 'CPUAmpOptimWrapper',
            'optimizer': torch.optim.SGD(model.parameters(), lr=0.1),
        }
    )
    before = model.weight.detach().clone()
    with wrapper.optim_context(model):
        output = model(torch.ones(2, 4))
        assert output.dtype == torch.bfloat16
    wrapper.update_params(output.float().sum())
    assert model.weight.dtype == torch.float32
    torch.testing.assert_close(model.weight, before - 0.2)


def test_cpu_config(on_cpu):
    config = ConfigDict(
        type='AmpOptimWrapper',
        loss_scale='dynamic',
        dtype='float16',
        clip_grad=ConfigDict(max_norm=1),
    )
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        use_mixed_precision(config)
    assert config == {'type': 'CPUAmpOptimWrapper', 'clip_grad': {'max_norm': 1}}


@pytest.mark.parametrize(('known', 'warned'), [(False, 1), (None, 0), (True, 0)])
def test_a_cpu_without_bfloat16_trains_in_float32(known, warned, on_cpu, monkeypatch):
    monkeypatch.setattr(mixed_precision, 'cpu_has_bfloat16', lambda: known)
    config = ConfigDict(type='AmpOptimWrapper', loss_scale='dynamic')
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        use_mixed_precision(config)
    assert len(caught) == warned
    expected = 'OptimWrapper' if warned else 'CPUAmpOptimWrapper'
    assert config == {'type': expected}


def test_gpu_config(on_gpu, monkeypatch):
    config = ConfigDict()
    use_mixed_precision(config)
    assert config == {'type': 'BFloat16OptimWrapper'}
    config = ConfigDict(type='AmpOptimWrapper')
    use_mixed_precision(config)
    assert config.dtype == 'bfloat16' and config.loss_scale == 'dynamic'
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda: False)
    config = ConfigDict(type='BFloat16OptimWrapper')
    use_mixed_precision(config)
    assert config == dict(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic')


def test_without_a_gpu_bfloat16_is_float32():
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    config = dict(type='BFloat16OptimWrapper', optimizer=optimizer)
    with OPTIM_WRAPPERS.build(config).optim_context(model):
        expected = torch.bfloat16 if gpu_has_bfloat16() else torch.float32
        device = 'cuda' if gpu_has_bfloat16() else 'cpu'
        assert model.to(device)(torch.ones(2, 4, device=device)).dtype == expected


def test_other_wrappers_are_refused():
    with pytest.raises(ConfigError, match='ApexOptimWrapper'):
        use_mixed_precision(ConfigDict(type='ApexOptimWrapper'))


def test_autocast_dtype():
    assert autocast_dtype('cpu') is None
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert autocast_dtype('cpu') == torch.bfloat16
        with torch.autocast('cpu', enabled=False):
            assert autocast_dtype('cpu') is None


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('processor\t: 0\nflags\t\t: fpu avx512_bf16 amx_tile\n', True),
        ('flags\t\t: fpu avx2 avx512f\n', False),
        ('Features\t: fp asimd bf16\n', True),
        ('processor\t: 0\n', None),
    ],
)
def test_cpu_flags(text, expected, tmp_path, monkeypatch):
    cpuinfo = tmp_path / 'cpuinfo'
    cpuinfo.write_text(text)
    monkeypatch.setattr(mixed_precision, 'Path', lambda _: cpuinfo)
    assert cpu_has_bfloat16() is expected


def test_no_cpuinfo(tmp_path, monkeypatch):
    monkeypatch.setattr(mixed_precision, 'Path', lambda _: Path(tmp_path, 'none'))
    assert cpu_has_bfloat16() is None
