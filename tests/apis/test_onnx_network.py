from __future__ import annotations

import pytest
import torch
from tiny_models import GLOSSES, HEAD, SIZES
from tiny_network import write_network

from mmsign.apis import open_network
from mmsign.apis.onnx_network import (
    ExportableNetwork,
    compare_onnx,
    compare_torch_export,
    export_onnx,
)
from mmsign.models import SignRecognizer


@pytest.fixture(scope='module')
def network(network_files):
    return ExportableNetwork(open_network(*network_files, device='cpu').model)


@pytest.mark.slow
def test_it_computes_what_the_network_does(network, network_files):
    assert network.input_names == ['video', 'heatmaps']
    inputs = network.example(20, clips=2)
    model = open_network(*network_files, device='cpu').model
    with torch.inference_mode():
        expected = model(dict(zip(network.input_names, inputs)))
        found = dict(zip(network.output_names, network(*inputs)))
    assert list(found) == [
        f'{name}_log_probs' for name in ('video', 'keypoint', 'joint', 'average')
    ]
    average = found.pop('average_log_probs').exp()
    torch.testing.assert_close(average, expected['average'])
    for name, x in found.items():
        logits = expected[name.removesuffix('_log_probs')]
        torch.testing.assert_close(x, logits.log_softmax(-1))


@pytest.mark.slow
def test_onnxruntime_agrees_on_any_length(tmp_path):
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    files = write_network(tmp_path, ['keypoint'])
    network = ExportableNetwork(open_network(*files, device='cpu').model)
    path = tmp_path / 'new' / 'network.onnx'
    export_onnx(network, path, frames=16)
    rows = compare_onnx(network, path, [8, 16, 28])
    assert [row['frames'] for row in rows] == [8, 16, 28]
    assert all(row['difference'] < 1e-3 and row['onnx'] > 0 for row in rows)
    # Another network is told apart.
    files = write_network(tmp_path / 'other', ['keypoint'], seed=1)
    other = ExportableNetwork(open_network(*files, device='cpu').model)
    assert compare_onnx(other, path, [8])[0]['difference'] > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['CorrNet', 'BidirectionalSlowFast'])
def test_backbones_of_other_recipes(kind, tmp_path):
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    torch.manual_seed(0)
    backbone = dict(type=kind, base_channels=8)
    if kind == 'BidirectionalSlowFast':
        backbone['stage_blocks'] = (1, 1, 1, 1)
    model = SignRecognizer(
        vocab=dict(glosses=GLOSSES),
        data_preprocessor=SIZES,
        video=dict(backbone=backbone, output_stride=4, head=HEAD),
    ).eval()
    for name, parameter in model.named_parameters():
        if 'gain' in name:
            torch.nn.init.constant_(parameter, 0.5)
    network = ExportableNetwork(model)
    export_onnx(network, tmp_path / 'network.onnx', frames=16)
    rows = compare_onnx(network, tmp_path / 'network.onnx', [8, 16, 22])
    assert all(row['difference'] < 1e-4 for row in rows)


@pytest.mark.slow
def test_a_head_that_strides_itself(tmp_path):
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    torch.manual_seed(0)
    stream = dict(
        backbone=dict(type='S3D', width=0.125),
        output_stride=1,
        head=dict(type='TemporalConvLSTMHead', hidden_channels=8),
    )
    sizes = dict(data_preprocessor=dict(video_size=32), vocab=dict(glosses=['A']))
    network = ExportableNetwork(SignRecognizer(video=stream, **sizes).eval())
    export_onnx(network, tmp_path / 'network.onnx', frames=16)
    rows = compare_onnx(network, tmp_path / 'network.onnx', [8, 16, 28])
    assert all(row['difference'] < 1e-3 for row in rows)


@pytest.mark.slow
def test_torch_export_keeps_the_length_free(network):
    if not hasattr(torch.export, 'Dim'):
        with pytest.raises(ImportError, match='torch 2.2 and later'):
            compare_torch_export(network, [12])
        return
    assert compare_torch_export(network, [12, 32]) < 1e-4
