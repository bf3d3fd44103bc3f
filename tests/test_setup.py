"""The requirements that ``setup.py`` chooses from what is installed."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from pathlib import Path

import pytest

import mmsign

ROOT = Path(__file__).parents[1]


@pytest.fixture
def setup(monkeypatch):
    monkeypatch.delenv('MMSIGN_TORCH', raising=False)
    spec = importlib.util.spec_from_file_location('mmsign_setup', ROOT / 'setup.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(tmp_path):
    """A site-packages folder, and how to put a distribution into it."""

    def add(name: str, version: str) -> None:
        info = tmp_path / f'{name.replace("-", "_")}-{version}.dist-info'
        info.mkdir()
        text = f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'
        (info / 'METADATA').write_text(text)

    return [str(tmp_path)], add


def test_an_empty_environment_gets_the_tested_stack(setup, site):
    folders, _ = site
    assert setup.stack_requirements(folders) == [
        'torch==2.13.0',
        'mmcv-lite==2.0.1',
        'mmaction2==1.1.0',
    ]


def test_what_is_installed_is_kept(setup, site):
    folders, add = site
    add('torch', '2.4.1+cu121')
    add('mmcv', '2.1.0')
    add('mmaction2', '1.2.0')
    assert setup.stack_requirements(folders) == [
        'torch>=2.1',
        'mmcv>=2.0.0rc4',
        'mmaction2>=1.1.0,<1.3',
    ]


def test_an_installed_mmcv_lite_is_kept(setup, site):
    folders, add = site
    add('mmcv-lite', '2.1.0')
    assert setup.stack_requirements(folders)[1] == 'mmcv-lite>=2.0.0rc4'


def test_another_torch(setup, site, monkeypatch):
    monkeypatch.setenv('MMSIGN_TORCH', 'torch==2.6.0 --index-url somewhere')
    assert setup.stack_requirements(site[0])[0] == 'torch==2.6.0'


def test_names_are_compared_as_pip_does(setup, site):
    folders, add = site
    add('MMCV_Lite', '2.0.1')
    assert setup.installed_version('mmcv-lite', folders) == '2.0.1'
    assert setup.installed_version('mmcv', folders) is None


@pytest.mark.parametrize('system', [True, False])
def test_folders_of_a_virtual_environment(system, setup, tmp_path, monkeypatch):
    (tmp_path / 'pyvenv.cfg').write_text(
        f'home = /usr/bin\ninclude-system-site-packages = {str(system).lower()}\n'
    )
    monkeypatch.setattr(sys, 'prefix', str(tmp_path))
    monkeypatch.setattr(sys, 'base_prefix', '/base')
    monkeypatch.setattr(sys, 'base_exec_prefix', '/base')
    folders = setup.target_site_packages()
    assert sysconfig.get_path('purelib') in folders
    assert any(folder.startswith('/base/') for folder in folders) is system


def test_this_environment_is_seen(setup):
    folders = setup.target_site_packages()
    assert setup.installed_version('torch', folders)


def test_version_and_requirement_files(setup):
    assert setup.read_version() == mmsign.__version__
    for name in ('core', 'torch', 'translation', 'export', 'tests'):
        lines = setup.read_requirements(name)
        assert lines and not any('#' in line for line in lines)
