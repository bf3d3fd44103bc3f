"""A network's page, and what runs it: skipped where Node.js or the packages are absent.

The packages are a ``node_modules`` made by ``npm ci`` in a copy of ``mmsign/web/npm``,
named in ``MMSIGN_WEB_PACKAGES``; without, what ``mmsign export web`` has fetched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_network import GLOSSES, write_network
from tiny_signing import signing_statistics

from mmsign.apis import open_network
from mmsign.apis.network import Network, NetworkSpec, build_network
from mmsign.decoding import AVERAGE, Calibration, ConfidenceMap
from mmsign.errors import MMSignError
from mmsign.registry import MODELS
from mmsign.web import packages as web_packages

SUPPORT = Path(__file__).parents[1] / 'support'


@pytest.fixture(scope='session')
def node() -> str:
    found = shutil.which('node')
    if found is None:
        pytest.skip('no node')
    return found


@pytest.fixture(scope='session')
def run_modules(node):
    """What the page's modules make of some input: see ``web_modules.mjs``."""

    def run(**given) -> dict:
        command = [node, SUPPORT / 'web_modules.mjs', web_packages.__file__]
        done = subprocess.run(
            command, input=json.dumps(given), capture_output=True, encoding='utf-8'
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope='session')
def packages() -> Path:
    """A ``node_modules`` with what the page runs on; nothing is fetched."""
    folder = os.environ.get('MMSIGN_WEB_PACKAGES')
    try:
        return web_packages.fetched(folder or web_packages.cache() / 'node_modules')
    except MMSignError as error:
        pytest.skip(f'no packages of npm: {error}')


@pytest.fixture(scope='session')
def heatmap_network(tmp_path_factory) -> Network:
    """Of heatmaps; its training clips begin and end at rest."""
    files = write_network(tmp_path_factory.mktemp('network'), ['keypoint'])
    network = open_network(*files, device='cpu')
    padded = network.spec.model | dict(
        data_preprocessor=dict(
            heatmap_size=32, sigma=2.0, pad_multiple=8, min_padding=4
        )
    )
    corpus = network.spec.corpus | dict(signing=signing_statistics(40).to_dict())
    spec = NetworkSpec(padded, network.spec.pipeline, corpus)
    state = dict(state_dict=network.model.state_dict())
    network = build_network(spec, state, 'cpu')
    own = Calibration(ConfidenceMap(0.7, -0.4))
    network.recognizer.calibrations = dict.fromkeys(('keypoint', AVERAGE), own)
    return network


@pytest.fixture(scope='session')
def point_network() -> Network:
    """Of the keypoints themselves, as the recipes for few signers have it."""
    model = dict(
        type='SingleStreamRecognizer',
        vocab=dict(glosses=GLOSSES),
        data_preprocessor=dict(keypoint_input='points', pad_multiple=4),
        decoder=dict(beam_width=3, merge_adjacent=True),
        keypoint=dict(
            backbone=dict(type='KeypointTCN', channels=16, depths=(1, 1)),
            head=dict(hidden_channels=16, feedforward_channels=16),
        ),
    )
    pipeline = [
        dict(type='LoadClip', frames=False),
        dict(type='SampleClip', stride=1, test=True),
        dict(type='SignerCrop'),
        dict(type='HoldLast', frames=8),
        dict(type='PackClip'),
    ]
    torch.manual_seed(0)
    built = MODELS.build(model)
    for name, parameter in built.named_parameters():
        if 'classifier.weight' in name:
            parameter.data.mul_(30)
    spec = NetworkSpec(model, pipeline, dict(fps=12.0))
    return build_network(spec, dict(state_dict=built.state_dict()), 'cpu')


@pytest.fixture(scope='session')
def without_pauses(heatmap_network) -> Network:
    """Nor with a frame size: sigma is a share of any width."""
    spec = heatmap_network.spec
    model = spec.model | dict(data_preprocessor=dict(heatmap_size=32, sigma=None))
    spec = replace(spec, model=model, corpus=dict(fps=25.0))
    return build_network(spec, dict(state_dict=heatmap_network.model.state_dict()))


@pytest.fixture(scope='session')
def write_page(packages, tmp_path_factory):
    """Writes a network's page; returns its folder."""
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    from mmsign.web.export import write_page

    def write(network: Network) -> Path:
        folder = tmp_path_factory.mktemp('served') / 'sub' / 'page'
        assert write_page(folder, network, 'for tests only', packages) < 1e-3
        return folder

    return write
