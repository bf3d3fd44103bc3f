import os
import pickle

import numpy as np
import pytest
from tiny_run import load_tool

from mmsign.datasets.io.keypoint_file import KeypointFile, write_keypoints

keypoints = load_tool('convert/keypoints')
POINTS = np.random.default_rng(0).uniform(0, 200, (2, 133, 3))


@pytest.fixture
def pickled(tmp_path) -> str:
    path = tmp_path / 'keypoints.pkl'
    path.write_bytes(pickle.dumps({'dev/a': dict(keypoints=POINTS)}))
    return str(path)


def test_sources_are_joined(tmp_path, pickled, capsys):
    part, target = str(tmp_path / 'part.safetensors'), str(tmp_path / 'all.safetensors')
    write_keypoints(part, dict(b=POINTS))
    size = ['--frame-size', '210x260']
    assert keypoints.main([pickled, part, target, *size]) == 0
    assert '2 clips added, 2 in all' in capsys.readouterr().out
    file = KeypointFile(target)
    assert file.clip_ids == ['a', 'b'] and file.frame_size == (210, 260)
    np.testing.assert_allclose(file.read('a'), POINTS, atol=0.07)
    assert keypoints.main([pickled, part, target, *size]) == 0
    assert '0 clips added, 2 in all' in capsys.readouterr().out


class Command:
    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f'touch {self.path}',)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (pickle.dumps({'a': Command('RUN')}), 'system'),
        (pickle.dumps({'a': dict(keypoints=np.full((1, 133, 3), None))}), 'object'),
        (pickle.dumps({'a': dict(keypoints=np.full((1, 133, 3), np.nan))}), 'clip a'),
        (b'nonsense', 'no pickle'),
    ],
)
def test_bad_sources_leave_nothing(tmp_path, monkeypatch, capsys, content, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'bad.pkl').write_bytes(content)
    assert keypoints.main(['bad.pkl', 'all.safetensors']) == 2
    error = capsys.readouterr().err
    assert error.startswith('keypoints.py: ') and message in error
    assert [path.name for path in tmp_path.iterdir()] == ['bad.pkl']


def test_a_clip_in_two_sources(tmp_path, pickled, capsys):
    write_keypoints(tmp_path / 'b.safetensors', dict(a=POINTS))
    sources = [pickled, str(tmp_path / 'b.safetensors')]
    assert keypoints.main([*sources, str(tmp_path / 'all.safetensors')]) == 2
    assert 'clip a is in' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        keypoints.main([*sources, 'x', '--frame-size', '0x3'])
