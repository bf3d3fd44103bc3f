"""``tools/live.py`` and its benchmark as a user runs them."""

from __future__ import annotations

import sys

import pytest
from mmengine.config import Config
from tiny_network import keypoints_of, write_network
from tiny_run import TOOLS, load_tool
from tiny_video import SIZE, write_video

from mmsign.apis import load_network, write_bundle
from mmsign.datasets import write_keypoints
from mmsign.launch import LaunchError

tool = load_tool('live')


@pytest.fixture(scope='module')
def bundle(tmp_path_factory, phoenix_tree):
    folder = tmp_path_factory.mktemp('live')
    config, checkpoint = write_network(folder)
    cfg = Config.fromfile(config)
    cfg.corpus.frame_size = (20, 24)
    path = folder / 'tiny.bundle'
    write_bundle(path, load_network(cfg, checkpoint, 'cpu'))
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


def test_sources_that_are_none(bundle, capsys):
    for arguments, message in (
        ([], 'name one source'),
        (['x.mp4', '--camera', '0'], 'name one source'),
        (['--camera', '0', '--keypoints', 'k.json'], 'belong to a FILE'),
    ):
        with pytest.raises(SystemExit):
            tool.main([*arguments, '--bundle', bundle])
        assert message in capsys.readouterr().err
    with pytest.raises(LaunchError, match='camera 93 cannot be opened'):
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
    assert 'WER of streams, %' in capsys.readouterr().out
