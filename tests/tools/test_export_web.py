"""``tools/export/web.py`` as a user runs it."""

from __future__ import annotations

import json

import pytest
from tiny_network import write_network
from tiny_run import load_tool

from mmsign.apis import open_network, write_bundle
from mmsign.errors import ConfigError
from mmsign.web import packages

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')


@pytest.fixture
def node_modules(tmp_path):
    """Empty files of the right names and versions."""
    folder = tmp_path / 'node_modules'
    for name, (_, files) in packages.COPIED.items():
        for file in files:
            (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / file).touch()
        version = dict(version=packages.versions()[name])
        (folder / name / 'package.json').write_text(json.dumps(version))
    (folder / 'long').mkdir()
    (folder / 'long' / 'LICENSE').write_text('as is')
    return folder


def bundle(folder, streams):
    network = open_network(*write_network(folder, streams), device='cpu')
    write_bundle(folder / 'x.bundle', network, 'ask us')
    return str(folder / 'x.bundle')


def test_written(tmp_path, node_modules, capsys):
    out = tmp_path / 'pages' / 'out'
    arguments = [bundle(tmp_path, ['keypoint']), str(out)]
    load_tool('export/web').main([*arguments, '--packages', str(node_modules)])
    said = capsys.readouterr().out
    assert f'python -m http.server --directory {out} 8000' in said and 'ask us' in said
    assert json.loads((out / 'network.json').read_text())['licence'] == 'ask us'
    copied = {p.name for p in (out / 'vendor').rglob('*') if p.is_file()}
    assert {'holistic.js', 'ort.wasm.min.mjs', 'ort-wasm-simd-threaded.wasm'} <= copied
    licences = (out / 'LICENCES.txt').read_text()
    assert 'onnxruntime-web 1.27.0: MIT' in licences and 'as is' in licences
    assert '@mediapipe/holistic 0.5.1675471629: Apache-2.0' in licences


def test_refused(tmp_path, node_modules):
    arguments = [bundle(tmp_path, ['video']), str(tmp_path / 'out')]
    with pytest.raises(ConfigError, match='no keypoint stream'):
        load_tool('export/web').main([*arguments, '--packages', str(node_modules)])
    assert not (tmp_path / 'out').exists()
