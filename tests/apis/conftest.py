"""A network, and clips to show it."""

from __future__ import annotations

import pytest
from tiny_network import write_network, write_translator
from tiny_video import SIZE, write_video

from mmsign.apis import SignInferencer


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
def video(tmp_path_factory):
    """24 frames at the rate and size of training; nobody may change it."""
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    write_video(path, 24, size=SIZE)
    return path
