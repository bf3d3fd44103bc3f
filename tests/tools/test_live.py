"""``tools/live.py`` and its benchmark as a user runs them."""

from __future__ import annotations

import json
import sys

import cv2
import pytest
from mmengine.config import Config
from tiny_network import keypoints_of, write_network
from tiny_run import TOOLS, load_tool
from tiny_video import SIZE, write_video

from mmsign.apis import SignInferencer, open_network, write_bundle
from mmsign.apis.clip_keypoints import selected
from mmsign.datasets import Phoenix2014TDataset, open_frames, write_keypoints
from mmsign.errors import ConfigError
from mmsign.interop.elan import read_elan
from mmsign.interop.subtitles import read_subtitles

tool = load_tool('live')


@pytest.fixture(scope='module')
def bundle(tmp_path_factory, phoenix_tree):
    folder = tmp_path_factory.mktemp('live')
    config, checkpoint = write_network(folder)
    cfg = Config.fromfile(config)
    cfg.corpus.frame_size = (20, 24)
    path = folder / 'tiny.bundle'
    write_bundle(path, open_network(cfg, checkpoint, device='cpu'))
    return str(path)


def test_a_file_in_the_terminal(bundle, tmp_path, capsys):
    video, keypoints = tmp_path / 'clip.mp4', tmp_path / 'k.safetensors'
    write_video(video, 60)
    write_keypoints(keypoints, {'clip': keypoints_of(60)}, frame_size=SIZE)
    arguments = ['--bundle', bundle, '--keypoints', str(keypoints), '--device', 'cpu']
    final = tool.main([str(video), *arguments, '--frames', '32', '--hop', '16'])
    said = capsys.readouterr().out
    assert final and f'  {final[0].gloss}  (' in said
    assert 'latency: 0.96 s of video' in said and 'real-time factor: ' in said


@pytest.mark.parametrize('kind', ['jsonl', 'eaf', 'vtt', 'png', 'mp4'])
def test_what_it_writes_is_what_infer_writes(bundle, tmp_path, kind):
    video, keypoints = tmp_path / 'clip.mp4', tmp_path / 'k.safetensors'
    write_video(video, 40)
    write_keypoints(keypoints, {'clip': keypoints_of(40)}, frame_size=SIZE)
    out = tmp_path / 'new' / f'out.{kind}'
    arguments = ['--bundle', bundle, '--keypoints', str(keypoints), '--device', 'cpu']
    final = tool.main([str(video), *arguments, '--out', str(out)])
    spans = [(one.gloss, round(one.start, 3), round(one.end, 3)) for one in final]
    if kind == 'jsonl':
        (record,) = map(json.loads, out.read_text().splitlines())
        assert record['clip'] == str(video) and record['num_frames'] == 40
        assert record['duration'] == 1.6 and record['score'] < 0
        assert [g['gloss'] for g in record['glosses']] == [name for name, *_ in spans]
    elif kind == 'eaf':
        file = read_elan(out)
        assert list(file.tiers) == ['GLOSS', 'GLOSS confidence']
        found = [one.symbol for one in file.tiers['GLOSS'].annotations]
        assert found == [name for name, *_ in spans] != []
        assert file.media[0].relative_url == '../clip.mp4'
    elif kind == 'vtt':
        texts = read_subtitles(out)
        assert [text.symbol for text in texts] == [name for name, *_ in spans]
        assert texts[0].start == pytest.approx(spans[0][1], abs=1e-3)
    elif kind == 'png':
        assert cv2.imread(str(out)).std() > 20
    else:
        frames = open_frames(str(out))
        assert len(frames) == 40 and frames.read([39])[0, 240:].max() > 100


def test_a_keypoint_file_alone(tmp_path, capsys):
    config, checkpoint = write_network(tmp_path, ['keypoint'])
    write_keypoints(
        tmp_path / 'k.safetensors', {'a': keypoints_of(40)}, frame_size=SIZE
    )
    network = ['--config', str(config), '--checkpoint', str(checkpoint)]
    clip = str(tmp_path / 'k.safetensors')
    assert tool.main([clip, *network, '--device', 'cpu'])


def test_sources_that_are_none(bundle, capsys):
    for arguments, message in (
        ([], 'name one source'),
        (['x.mp4', '--camera', '0'], 'name one source'),
        (['--camera', '0', '--keypoints', 'k.json'], 'belong to a FILE'),
    ):
        with pytest.raises(SystemExit):
            tool.main([*arguments, '--bundle', bundle])
        assert message in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r'a\.png must be named'):
        tool.main(['--camera', '0', '--bundle', bundle, '--out', 'a.png'])
    with pytest.raises(ConfigError, match='camera 93'):
        tool.main(['--camera', '93', '--bundle', bundle, '--device', 'cpu'])


@pytest.mark.skipif(sys.platform != 'linux', reason='memory is read from /proc')
def test_the_benchmark_compares_streams_with_clips(
    bundle, phoenix_tree, monkeypatch, capsys
):
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')
    sizes = ['--streams', '1', '--stream-minutes', '0.04', '--minutes', '0.05']
    rows = load_tool('benchmark/live').main(
        [str(phoenix_tree), '--bundle', bundle, '--window', '16', '--hop', '8', *sizes]
    )
    assert rows['latency as stated, s'] == pytest.approx((4 + 8) / 25)
    assert not rows['delay until a gloss is final, largest, s'] > 10
    assert rows['real-time factor, recognition alone'] > 0
    said = capsys.readouterr().out
    assert rows['taken apart at pauses'] == 'no' and rows['glosses in the streams'] > 3
    for kind in ('offline, clip by clip', 'offline, streams in one go', 'live'):
        assert f'WER {kind}, %' in said
    # One clip is read alike on its own and in one go.
    tool = load_tool('benchmark/live')
    inferencer = SignInferencer(bundle=bundle, device='cpu')
    dataset = Phoenix2014TDataset(
        str(phoenix_tree), 'test', keypoint_file='keypoints.safetensors', test_mode=True
    )
    info = dataset.get_data_info(1)
    items = [
        (frame, selected(pose[None], 'the file', 'clip')[0])
        for frame, pose in tool.frames_of(info)
    ]
    expected = inferencer(info['frames'], info['keypoint_file'])
    assert tuple(tool.read_at_once(inferencer, items)) == expected.gloss_sequence


def test_mediapipe_is_asked_frame_by_frame(bundle, tmp_path, monkeypatch):
    made = []

    class Estimator:
        def __init__(self, model, live):
            self.model, self.live, self.frames = model, live, 0
            made.append(self)

        def __call__(self, frames):
            self.frames += len(list(frames))
            return keypoints_of(1, seed=self.frames)

    monkeypatch.setattr('mmsign.pose.recipes.MediaPipeEstimator', Estimator)
    video = tmp_path / 'clip.mp4'
    write_video(video, 20)
    pose = ['--estimator', 'mediapipe', '--estimator-checkpoint', 'holistic.task']
    assert tool.main([str(video), '--bundle', bundle, '--device', 'cpu', *pose])
    assert [(e.model, e.live, e.frames) for e in made] == [('holistic.task', True, 20)]
