"""A network, and clips to show it."""

from __future__ import annotations

import json
import zipfile

import pytest
from tiny_network import write_network, write_translator
from tiny_video import SIZE, write_video

from mmsign import compat
from mmsign.apis import SignInferencer, open_network, write_bundle
from mmsign.decoding import CALIBRATION_KEY, Calibration, ConfidenceMap, SignCalibration

CALIBRATION = Calibration(ConfidenceMap(0.2, -3.0), SignCalibration(30.0, 0.9))


@pytest.fixture(scope='session')
def network_files(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp('network'))


@pytest.fixture(scope='session')
def translator_files(network_files, tmp_path_factory):
    for package in ('transformers', 'sentencepiece'):
        pytest.importorskip(package)
    return write_translator(tmp_path_factory.mktemp('translator'), network_files)


@pytest.fixture(scope='session')
def inferencer(network_files):
    return SignInferencer(*network_files, device='cpu')


@pytest.fixture(scope='session')
def calibrated(network_files, tmp_path_factory):
    """A checkpoint of the same network with a calibration of its average."""
    loaded = compat.load_checkpoint(network_files[1])
    loaded['meta'][CALIBRATION_KEY] = dict(average=CALIBRATION.to_dict())
    path = tmp_path_factory.mktemp('calibrated') / 'calibrated.pth'
    compat.write_checkpoint(loaded, path)
    return network_files[0], path


@pytest.fixture(scope='session')
def video(tmp_path_factory):
    """24 frames at the rate and size of training; nobody may change it."""
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    write_video(path, 24, size=SIZE)
    return path


@pytest.fixture(scope='session')
def bundle(network_files, tmp_path_factory):
    """The network in one file; nobody may change it."""
    path = tmp_path_factory.mktemp('bundle') / 'a.bundle'
    write_bundle(path, open_network(*network_files, device='cpu'), 'for tests only')
    return path


@pytest.fixture
def rewrite(bundle, tmp_path):
    """A copy of the bundle with another config or other members, whose digests are
    left out unless they are to stay."""

    def rewrite(
        change=None,
        compress=zipfile.ZIP_STORED,
        of=bundle,
        sealed=False,
        **members: bytes,
    ):
        path = tmp_path / 'changed.bundle'
        with zipfile.ZipFile(of) as old, zipfile.ZipFile(path, 'w') as new:
            for name in old.namelist():
                content = members.pop(name.partition('.')[0], old.read(name))
                if name == 'config.json' and change:
                    config = json.loads(content)
                    change(config)
                    content = json.dumps(config).encode()
                if name == 'bundle.json' and b'"sha256"' in content and not sealed:
                    about = json.loads(content)
                    del about['sha256']
                    content = json.dumps(about).encode()
                new.writestr(name, content, compress)
            for name, content in members.items():
                new.writestr(name, content)
        return path

    return rewrite


@pytest.fixture
def make_video(tmp_path):
    """Writes a video of so many frames; see ``write_video``."""

    def make(count: int, fps: float = 25.0, size=SIZE, name='made.mp4'):
        path = tmp_path / name
        write_video(path, count, fps, size)
        return path

    return make
