import os
import pickle

import numpy as np
import pytest
from grey_video import write_video
from mmpose_files import write_mmpose_json
from tiny_run import load_tool

from mmsign.datasets import KeypointFile, write_keypoints

keypoints = load_tool('convert/keypoints')
POINTS = np.random.default_rng(0).uniform(0, 200, (2, 133, 3))


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_pickle(name: str, content) -> None:
    with open(name, 'wb') as file:
        pickle.dump(content, file)


def test_sources_are_joined(capsys):
    write_pickle('keypoints.pkl', {'dev/a': dict(keypoints=POINTS)})
    write_keypoints('part.safetensors', dict(b=POINTS))
    command = ['keypoints.pkl', 'part.safetensors', 'all.safetensors']
    assert keypoints.main([*command, '--frame-size', '210x260']) == 0
    assert '2 clips added, 2 in all' in capsys.readouterr().out
    file = KeypointFile('all.safetensors')
    assert file.clip_ids == ['a', 'b'] and file.frame_size == (210, 260)
    np.testing.assert_allclose(file.read('a'), POINTS, atol=0.07)
    assert keypoints.main([*command, '--frame-size', '210x260']) == 0
    assert '0 clips added, 2 in all' in capsys.readouterr().out


def test_files_of_landmarks_are_joined(capsys):
    for name in 'ab':
        write_keypoints(f'{name}.safetensors', {name: POINTS[:, :79]}, 'mmsign_79')
    assert keypoints.main(['a.safetensors', 'b.safetensors', 'all.safetensors']) == 0
    file = KeypointFile('all.safetensors')
    assert file.layout == 'mmsign_79' and file.clip_ids == ['a', 'b']


def test_the_rest_is_converted_whatever_is_wrong_with_a_clip(tmp_path, capsys):
    folder = tmp_path / 'poses'
    write_mmpose_json(folder / 'good.json', POINTS)
    write_mmpose_json(folder / 'short.json', POINTS[:, :17])
    write_mmpose_json(folder / 'twice.json', POINTS, [3, 3])
    (folder / 'cut.json').write_text('[{"instances": [')
    (folder / 'nobody.json').write_text('[{"instances": []}]')
    both = {k: dict(keypoints=POINTS) for k in ('both', 'fine')}
    write_pickle('k.pkl', both | {'nan': dict(keypoints=POINTS * np.nan)})
    write_keypoints('part.safetensors', dict(both=POINTS))
    sources = ['poses', 'k.pkl', 'part.safetensors']
    for _ in range(2):  # and when it goes on
        assert keypoints.main([*sources, 'all.safetensors']) == 1
        out, error = capsys.readouterr()
        assert '2 in all' in out and '6 could not be converted' in error
        for clip in ('short', 'twice', 'cut', 'nobody', 'both', 'nan'):
            assert clip in error
        assert KeypointFile('all.safetensors').clip_ids == ['fine', 'good']


def test_lengths_are_those_of_the_videos(tmp_path, capsys):
    for name in ('a', 'b', 'c'):
        write_video(tmp_path / 'videos' / f'{name}.avi', [1] * 4)
    write_mmpose_json(tmp_path / 'poses' / 'a.json', POINTS, [1, 2])
    write_mmpose_json(tmp_path / 'poses' / 'b.json', POINTS, [3, 5])
    write_pickle('k.pkl', dict(c=dict(keypoints=POINTS), d=dict(keypoints=POINTS)))
    command = ['poses', 'k.pkl', 'all.safetensors', '--videos', 'videos']
    assert keypoints.main(command) == 1
    error = capsys.readouterr().err
    assert 'b.json' in error and 'clip c' in error and '2 could not' in error
    file = KeypointFile('all.safetensors')
    assert {clip: file.length(clip) for clip in file.clip_ids} == dict(a=4, d=2)
    np.testing.assert_allclose(file.read('a')[:2], POINTS, atol=0.07)
    assert not file.read('a')[2:].any()


class Command:
    def __reduce__(self):
        return os.mkdir, ('run',)


@pytest.mark.parametrize(
    'content',
    [pickle.dumps({'a': Command()}), pickle.dumps({'a': POINTS}), b'nonsense'],
)
def test_bad_sources_leave_nothing(tmp_path, capsys, content):
    (tmp_path / 'bad.pkl').write_bytes(content)
    assert keypoints.main(['bad.pkl', 'all.safetensors']) == 1
    assert 'bad.pkl' in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ['bad.pkl']


def test_mistakes_are_told_before_anything_is_written(tmp_path, capsys):
    write_keypoints('a.safetensors', dict(a=POINTS))
    for command, named in (
        (['a.safetensors', 'gone', 'b.safetensors'], 'gone'),
        (['a.safetensors', 'b.json'], 'b.json'),
        (['a.safetensors', './a.safetensors'], 'a.safetensors'),
        (['a.safetensors', 'b.safetensors', '--videos', 'gone'], 'gone'),
    ):
        with pytest.raises(SystemExit) as ended:
            keypoints.main(command)
        assert ended.value.code == 2
        assert named in capsys.readouterr().err
    with pytest.raises(SystemExit):
        keypoints.main(['a.safetensors', 'b.safetensors', '--frame-size', '0x3'])
    assert [path.name for path in tmp_path.iterdir()] == ['a.safetensors']


def test_estimators_are_kept_apart(tmp_path, capsys):
    write_keypoints('a.safetensors', dict(a=POINTS), estimator='rtmw')
    write_keypoints('b.safetensors', dict(b=POINTS), estimator='rtmw')
    write_keypoints('c.safetensors', dict(c=POINTS), estimator='hrnet')
    write_pickle('d.pkl', {'dev/d': dict(keypoints=POINTS)})
    out = 'all.safetensors'
    assert keypoints.main(['a.safetensors', 'b.safetensors', out]) == 0
    assert KeypointFile(out).estimator == 'rtmw'
    for source, told in (('c.safetensors', 'hrnet'), ('d.pkl', 'unknown')):
        with pytest.raises(SystemExit) as ended:
            keypoints.main([source, out])
        assert ended.value.code == 2
        error = capsys.readouterr().err
        assert 'rtmw' in error and told in error and '--estimator' in error
    assert keypoints.main(['d.pkl', out, '--estimator=rtmw']) == 0
    assert KeypointFile(out).clip_ids == ['a', 'b', 'd']
    assert KeypointFile(out).estimator == 'rtmw'
