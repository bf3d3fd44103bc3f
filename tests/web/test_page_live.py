"""The page's recognizer under Node.js says what the live recognizer says."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from tiny_run import load_tool
from tiny_signing import signing

from mmsign.apis import write_bundle
from mmsign.datasets import write_keypoints
from mmsign.errors import ConfigError

pytestmark = pytest.mark.slow
SIZE = (96, 80)  # not that of training


@pytest.fixture(scope='module')
def tool():
    return load_tool('benchmark/web')


def restless(plan: str, seed: int = 0, share: float = 0.1) -> np.ndarray:
    """``signing`` with noise, and points that were not found."""
    rng = np.random.default_rng(seed)
    points = signing(plan)
    hands = slice(16, 58)
    points[:, hands, :2] += rng.normal(0, 6, (len(plan), 42, 2)).cumsum(0) / 4
    lost = rng.random((len(plan), 42)) < share
    points[:, hands, 2][lost] = 0
    points[:, hands, :2][lost] = -SIZE[0]
    return points.astype(np.float32)


def compare(tool, node, page, network, points, seconds=None) -> list[dict]:
    stream = tool.stream_of(points, SIZE, network.fps)
    stream |= {} if seconds is None else dict(seconds=list(seconds))
    found, expected = tool.run_page(page, stream), tool.run_python(network, stream)
    assert found['isRight']
    assert tool.timed(found['events']) == tool.timed(expected)
    for ours, theirs in zip(found['events'], expected):
        for kind in ('final', 'partial'):
            said = [[g['confidence'] for g in e[kind]] for e in (ours, theirs)]
            assert said[0] == pytest.approx(said[1], abs=1e-3)
    # The first frames as a clip.
    first = points[: 4 * math.lcm(network.pipeline.stride, network.time_stride)]
    pipeline = network.pipeline
    record = pipeline.record('clip', SIZE) | dict(num_frames=len(first))
    record |= dict(frame_indices=np.arange(len(first)), keypoints=first)
    packed = pipeline.pack(pipeline.look(record), is_end=True)
    rows = network.log_probs([packed])[0]['average'][0].numpy()
    np.testing.assert_allclose(found['rows'], rows, atol=1e-3)
    return expected


def test_utterances_between_pauses(tool, node, write_page, heatmap_network):
    page = write_page(heatmap_network)
    plan = 'r' * 9 + 'm' * 21 + 'r' * 20 + 'm' * 52 + 'rr' + 'm' * 3 + 'rrrrmrrrr'
    plan += 'm' * 18 + 'w' * 5 + 'm' * 9 + 'n' * 12
    found = compare(tool, node, page, heatmap_network, restless(plan))
    assert sum(len(event['final']) for event in found) > 5
    assert any(event['partial'] for event in found)


def test_a_stream_without_pauses_at_uneven_times(
    tool, node, write_page, without_pauses
):
    page = write_page(without_pauses)
    gaps = np.random.default_rng(2).uniform(0.02, 0.1, 100)
    gaps[50] = 3.5  # the camera was off
    points = restless('m' * 60 + 'n' * 30 + 'm' * 10, seed=1)
    found = compare(tool, node, page, without_pauses, points, gaps.cumsum())
    assert sum(len(event['final']) for event in found) > 5


def test_a_recipe_for_few_signers(tool, node, write_page, point_network):
    page = write_page(point_network)
    points = restless('m' * 80, seed=3, share=0.5)
    found = compare(tool, node, page, point_network, points)
    assert sum(len(event['final']) for event in found) > 3


def test_the_benchmark_compares(node, write_page, point_network, tmp_path, capsys):
    write_bundle(tmp_path / 'a.bundle', point_network)
    clips = {name: restless('m' * 30, seed) for seed, name in enumerate('ab')}
    write_keypoints(tmp_path / 'k.safetensors', clips, 'mmsign_79')
    page = write_page(point_network)
    arguments = [str(page), '--bundle', str(tmp_path / 'a.bundle')]
    arguments += ['--keypoints', str(tmp_path / 'k.safetensors')]
    rows = load_tool('benchmark/web').main(arguments)
    assert rows['events that differ from Python'] == 0 and rows['stream, s'] == 5
    assert rows['real-time factor, WebAssembly on one core'] > 0
    description = json.loads((page / 'network.json').read_text())
    description['glosses'].reverse()
    (page / 'network.json').write_text(json.dumps(description))
    with pytest.raises(ConfigError, match='export it anew'):
        load_tool('benchmark/web').main(arguments)
