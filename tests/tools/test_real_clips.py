"""``tools/analysis/real_clips.py``, stopped after a few steps."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from grey_video import write_video
from tiny_run import load_tool

from mmsign.errors import ConfigError, DataError
from mmsign.registry import DATASETS

tool = load_tool('analysis/real_clips')
# Its dataset, which takes any folder of videos, is none of other tests' business.
DATASETS.module_dict.pop('RealClips')


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setitem(DATASETS.module_dict, 'RealClips', tool.RealClips)

    def run(*arguments: object) -> None:
        monkeypatch.setattr('sys.argv', ['real_clips.py', *map(str, arguments)])
        tool.main()

    return run


@pytest.fixture
def clips(tmp_path):
    """Two videos, and the keypoints of the first."""
    rng = np.random.default_rng(0)
    for name, grey in (('RAIN', 60), ('SUN', 190)):
        write_video(tmp_path / f'{name}.mp4', [grey] * 8, size=(48, 64))
    points = rng.uniform(0, 48, (8, 133, 2)).tolist()
    frames = [
        dict(instances=[dict(keypoints=frame, keypoint_scores=[0.9] * 133)])
        for frame in points
    ]
    (tmp_path / 'RAIN.mmpose.json').write_text(json.dumps(frames))
    return tmp_path


def test_clips_without_keypoints_are_named(run, clips):
    with pytest.raises(DataError, match=r'SUN\.mp4'):
        run(clips, clips / 'out')
    with pytest.raises(ConfigError, match=str(clips)):
        run(clips, clips)


def test_clips_that_are_not_recognized_yet(run, clips, capsys):
    (clips / 'SUN.mmpose.json').write_text((clips / 'RAIN.mmpose.json').read_text())
    sizes = ['--video-size', '32', '--sheet-size', '48', '--max-steps', '5']
    with pytest.raises(SystemExit, match='not every clip is recognized after 5 steps'):
        run(clips, clips / 'out', *sizes)
    said = capsys.readouterr().out
    assert 'RAIN: 8 frames, RAIN.png' in said and 'step 5: loss' in said
    for name in ('RAIN', 'SUN'):
        assert cv2.imread(str(clips / 'out' / f'{name}.png')).shape == (448, 1792, 3)
