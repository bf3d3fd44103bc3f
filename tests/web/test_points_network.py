from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_network import write_network

from mmsign.apis import open_network
from mmsign.apis.network import NetworkSpec, build_network
from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.web.points_network import PointsNetwork, keypoint_network


@pytest.fixture(scope='module')
def both(tmp_path_factory):
    return open_network(*write_network(tmp_path_factory.mktemp('both')), device='cpu')


def test_a_network_of_video_is_refused(tmp_path):
    network = open_network(*write_network(tmp_path, ['video']), device='cpu')
    with pytest.raises(ConfigError, match='no keypoint stream'):
        keypoint_network(network)


def test_a_stream_that_needs_the_other_is_refused(both):
    with pytest.raises(ConfigError, match='bilateral'):
        keypoint_network(both)


@pytest.mark.slow
def test_a_stream_of_two_is_itself(both):
    late = {k: v for k, v in both.spec.model.items() if k not in ('bilateral', 'joint')}
    spec = NetworkSpec(late, both.spec.pipeline, both.spec.corpus)
    both = build_network(spec, dict(state_dict=both.model.state_dict()), 'cpu')
    alone = keypoint_network(both)
    points = PointsNetwork(alone).example(16)[0].numpy()
    images = np.zeros((16, 48, 64, 3), np.uint8)
    found = []
    for network in (both, alone):
        pipeline = network.pipeline
        record = pipeline.record('clip', (64, 48)) | dict(num_frames=16)
        record |= dict(frame_indices=np.arange(16), keypoints=points)
        given = images if pipeline.needs_frames else None
        packed = pipeline.pack(pipeline.look(record, given), is_end=True)
        found.append(network.log_probs([packed])[0])
    torch.testing.assert_close(found[0]['keypoint'], found[1]['average'])


@pytest.mark.parametrize('kind', ['heatmap_network', 'point_network'])
def test_it_computes_what_the_network_does(kind, request):
    network = request.getfixturevalue(kind)
    graph = PointsNetwork(keypoint_network(network))
    for frames in (12, 20):
        points, box = graph.example(frames, seed=frames)
        points[3:, 20:40, 2] = 0
        pipeline = network.pipeline
        side = tuple(map(int, box[2:]))
        results = pipeline.record('clip', side) | dict(num_frames=frames)
        results |= dict(frame_indices=np.arange(frames), keypoints=points.numpy())
        packed = pipeline.pack(results, is_end=False)
        # As if it were in pixels of the training corpus already.
        packed['inputs']['keypoints'] = points
        packed['data_samples'].set_metainfo(dict(crop_box=tuple(box.tolist())))
        expected = network.log_probs([packed])[0]['average'][0]
        torch.testing.assert_close(graph(points, box)[0], expected)


def test_a_head_that_strides_itself_is_refused(both):
    keypoint = both.spec.model['keypoint'] | dict(
        output_stride=1, head=dict(type='TemporalConvLSTMHead', hidden_channels=8)
    )
    kept = ('type', 'vocab', 'data_preprocessor', 'decoder')
    model = {key: both.spec.model[key] for key in kept} | dict(keypoint=keypoint)
    spec = NetworkSpec(model, both.spec.pipeline, both.spec.corpus)
    alone = replace(both, model=MODELS.build(model), spec=spec)
    with pytest.raises(ConfigError, match='TemporalConvLSTMHead'):
        keypoint_network(alone)
