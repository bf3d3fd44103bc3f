"""What pip is told: by a checkout, and by a wheel that may be passed on."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from warm_python import warm_python

import mmsign
from mmsign.cli import COMMANDS

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
    assert setup.editable_stack(folders) == [
        'torch==2.13.0',
        'mmcv-lite==2.0.1',
        'mmaction2==1.1.0',
    ]


def test_what_is_installed_is_kept(setup, site):
    folders, add = site
    add('torch', '2.4.1+cu121')
    add('mmcv', '2.1.0')
    add('mmaction2', '1.2.0')
    assert setup.editable_stack(folders) == [
        'torch>=2.1',
        'mmcv>=2.0.0rc4',
        'mmaction2>=1.1.0,<1.3',
    ]


@pytest.mark.parametrize('name', ['mmcv-lite', 'MMCV_Lite'])
def test_an_installed_mmcv_lite_is_kept(name, setup, site):
    folders, add = site
    add(name, '2.1.0')
    assert setup.editable_stack(folders)[1] == 'mmcv-lite>=2.0.0rc4'


def test_another_torch(setup, site, monkeypatch):
    monkeypatch.setenv('MMSIGN_TORCH', 'torch==2.6.0 --index-url somewhere')
    assert setup.editable_stack(site[0])[0] == 'torch==2.6.0'


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
    assert setup.is_installed('torch', setup.target_site_packages())


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


HOOK = (
    'import sys; sys.path.insert(0, "requirements"); import backend; '
    'print(getattr(backend, sys.argv[1])("."))'
)


@pytest.fixture(scope='module')
def source(tmp_path_factory) -> Path:
    """The source distribution of this checkout, unpacked; nobody may change it."""
    checkout = tmp_path_factory.mktemp('checkout')
    ignore = shutil.ignore_patterns('__pycache__', '*.egg-info')
    for name in ('mmsign', 'configs', 'tools', 'requirements'):
        shutil.copytree(ROOT / name, checkout / name, ignore=ignore)
    for path in ROOT.glob('*.*'):
        if path.is_file():
            shutil.copy(path, checkout)
    archive = run('-c', HOOK, 'build_sdist', cwd=checkout).split()[-1]
    with tarfile.open(checkout / archive) as tar:
        # The filter came with Python 3.11.4.
        safe = dict(filter='data') if hasattr(tarfile, 'data_filter') else {}
        tar.extractall(checkout / 'unpacked', **safe)
    return next((checkout / 'unpacked').iterdir())


def asked_for(metadata: str) -> set[Requirement]:
    """What the metadata of a distribution asks for, its extras left out."""
    lines = message_from_string(metadata).get_all('Requires-Dist')
    found = {Requirement(line) for line in lines}
    return {one for one in found if 'extra' not in str(one.marker)}


@pytest.fixture(scope='module')
def wheel(source) -> Path:
    """The wheel of that source distribution; nobody may change it."""
    offline = ('--no-deps', '--no-build-isolation', '--no-index')
    run('-m', 'pip', 'wheel', '.', *offline, '-w', 'out', cwd=source)
    (path,) = (source / 'out').glob('*.whl')
    return path


def test_a_wheel_is_the_same_wherever_it_is_built(wheel, setup, monkeypatch):
    assert wheel.name == f'mmsign-{mmsign.__version__}-py3-none-any.whl'
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        (name,) = (name for name in names if name.endswith('/METADATA'))
        metadata = file.read(name).decode()
    # No look at the environment.
    monkeypatch.setattr(setup, 'target_site_packages', None)
    asked = asked_for(metadata)
    assert asked == {Requirement(line) for line in setup.requirements(editable=False)}
    assert not any('mmcv' in one.name or '==' in str(one.specifier) for one in asked)
    # What is installed otherwise is no extra.
    lists = {path.stem for path in (ROOT / 'requirements').glob('*.txt')}
    extras = lists - {'core', 'pose', 'torch', 'triton'} | {'all'}
    assert extras == set(message_from_string(metadata).get_all('Provides-Extra'))
    package = ROOT / 'mmsign'
    for pattern in ('*.py', 'py.typed', '*.css', '*.js', '*.json', '*.html', '*.j2'):
        for file in package.rglob(pattern):
            assert str(file.relative_to(ROOT)) in names


def test_a_wheel_brings_configs_and_tools(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    for folder in ('configs', 'tools'):
        for path in (ROOT / folder).rglob('*.*'):
            if path.suffix in ('.py', '.sh', '.mjs', '.yml'):
                assert f'mmsign/.mim/{path.relative_to(ROOT)}' in names
    assert 'mmsign/.mim/model-index.yml' in names
    assert not any('__pycache__' in name for name in names)


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel as it is installed, write-protected."""
    site = tmp_path_factory.mktemp('site')
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)
    for path in (site, *site.rglob('*')):
        path.chmod(path.stat().st_mode & ~0o222)
    yield site
    for path in (site, *site.rglob('*')):
        path.chmod(path.stat().st_mode | 0o200)


def command(python: str, module: str, *words: str, cwd: Path, site: Path):
    """``mmsign WORDS`` of a wheel, in a folder that has nothing to do with it."""
    environment = os.environ | dict(
        PYTHONPATH=str(site),
        PYTHONDONTWRITEBYTECODE='1',
        HOME='/proc/nowhere',  # not even root can write there
        COLUMNS='80',
    )
    environment.pop('MMSIGN_PYTHON', None)
    return subprocess.run(
        [python, '-m', module, *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_a_wheel_runs_from_anywhere(installed, tmp_path):
    before = sorted(installed.rglob('*'))

    def mmsign(*words: str) -> str:
        place = dict(cwd=tmp_path, site=installed)
        done = command(sys.executable, 'mmsign_command', *words, **place)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert 'twostream_slr_phoenix ' in mmsign('configs', 'phoenix-2014')
    (tmp_path / 'ref').write_text('A B C D\n')
    (tmp_path / 'hyp').write_text('A B D\n')
    assert json.loads(mmsign('score', 'wer', 'ref', 'hyp', '--json'))['wer'] == 25
    assert mmsign('quickstart', '--help').startswith('Usage: mmsign quickstart ')
    assert sorted(installed.rglob('*')) == before
    assert {path.name for path in tmp_path.iterdir()} == {'ref', 'hyp'}


def test_every_command_of_a_wheel_starts(installed, tmp_path):
    with warm_python(tmp_path, installed) as python:

        def mmsign(*words: str):
            return command(python, 'mmsign.cli', *words, cwd=tmp_path, site=installed)

        for name in COMMANDS.keys() - {'quickstart'}:
            done = mmsign(*name.split(), '--help')
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith(f'usage: mmsign {name} ')
        # A config of the package, and data of the folder, where there is none.
        done = mmsign('describe', 'twostream_slr_toy', '--frames', '16')
        assert 'a clip of 16 frames gives 4 output steps' in done.stdout, done.stderr
        done = mmsign('train', 'video_slr_toy')
        assert done.returncode == 1
        assert 'data/toy' in done.stderr and 'Traceback' not in done.stderr


def test_an_editable_installation_links_to_the_checkout(source, setup, tmp_path):
    # As in a checkout that was moved: older links are replaced.
    target = source / 'mmsign' / '.mim'
    for _ in range(2):
        setup.link_shipped(target)
    for name in ('configs/twostream_slr_toy.py', 'tools/train.py', 'model-index.yml'):
        assert (target / name).samefile(source / name)


def test_an_editable_install_looks_at_the_environment(source, setup):
    folder = run('-c', HOOK, 'prepare_metadata_for_build_editable', cwd=source)
    metadata = (source / folder.split()[-1] / 'METADATA').read_text(encoding='utf-8')
    wanted = {Requirement(line) for line in setup.requirements(editable=True)}
    assert asked_for(metadata) == wanted


@pytest.mark.parametrize('package', ['mmcv', 'mmaction'])
def test_the_import_says_what_is_missing(package, setup, tmp_path):
    script = f"""
import importlib.util, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: (
    None if name == {package!r} else find_spec(name, *rest))
sys.path.insert(0, {str(ROOT)!r})
try:
    import mmsign
except ImportError as error:
    print(error)
assert {package!r} not in sys.modules
"""
    said = run('-c', script, cwd=tmp_path)
    line = re.search(f'mmsign needs {package},.*pip install "(.*?)"', said)
    known = setup.read_requirements('lite') + setup.requirements(editable=False)
    assert line and line[1] in known
