import json

import numpy as np
import pytest
from tiny_run import load_tool

from mmsign.datasets import KeypointFile

tool = load_tool('data/convert_landmarks')


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / 'landmarks'
    (folder / 'deep').mkdir(parents=True)
    frames = [{'pose_landmarks': [{'x': 0.5, 'y': 0.5, 'visibility': 0.9}]}, {}]
    (folder / 'deep' / 'a.json').write_text(json.dumps(frames))
    (folder / 'b.csv').write_text('frame,type,landmark_index,x,y\n0,pose,0,0.25,1\n')
    (folder / 'readme.txt').write_text('')
    return folder


def run(*arguments) -> int:
    return tool.main([*map(str, arguments), '--frame-size=200x100'])


def test_a_folder_becomes_a_keypoint_file(folder, tmp_path):
    out = tmp_path / 'new' / 'out.safetensors'
    assert run(folder, out) == 0
    file = KeypointFile(out)
    assert file.layout == 'mmsign_79' and file.frame_size == (200, 100)
    assert file.clip_ids == ['b', 'deep/a'] and file.length('deep/a') == 2
    np.testing.assert_allclose(file.read('deep/a')[0, 68], (99.5, 49.5, 0.9), atol=0.01)
    np.testing.assert_allclose(file.read('b')[0, 68], (49.5, 99.5, 1))


def test_points_of_another_table_in_pixels(tmp_path):
    (tmp_path / 'c.csv').write_text('frame,point,x,y\n0,snout,7,8\n')
    (tmp_path / 't.json').write_text('{"snout": 0}')
    out = tmp_path / 'out.safetensors'
    table = f'--table={tmp_path / "t.json"}'
    assert run(tmp_path / 'c.csv', out, table, '--pixels') == 0
    np.testing.assert_array_equal(KeypointFile(out).read('c')[0, 68], (7, 8, 1))


def test_faulty_files_are_listed_and_the_rest_is_written(folder, tmp_path, capsys):
    (folder / 'bad.csv').write_text('frame,x\n')
    (folder / 'other.csv').write_text('frame,point,x,y\n0,snout,7,8\n')
    (folder / 'nobody.json').write_text('[{}, {}]')
    (folder / 'more.json').write_text('[{"pose_0": [1, 2, 3, 4]}]')
    (folder / 'cut.JSON').write_text('[{"pose_landmarks"')
    for name in ('twice.csv', 'twice.json'):
        (folder / name).write_text('frame,type,landmark_index,x,y\n0,pose,0,1,1\n')
    (folder / 'far.csv').write_text('frame,type,landmark_index,x,y\n0,pose,0,1e9,1\n')
    out = tmp_path / 'out.safetensors'
    assert run(folder, out) == 1
    error = capsys.readouterr().err
    assert '7 files could not be read' in error and 'snout' in error
    for name in ('bad', 'other', 'nobody', 'cut', 'twice', 'far', 'more'):
        assert f'{name}.' in error
    assert KeypointFile(out).clip_ids == ['b', 'deep/a']


def test_mistakes_are_told_in_a_line(folder, tmp_path, capsys):
    out = tmp_path / 'out.safetensors'
    (tmp_path / 'empty').mkdir()
    (tmp_path / 't.json').write_text('{"snout": 200}')
    (folder / 'b.json').write_text('[]')
    for arguments, message in [
        ((tmp_path / 'absent', out), 'absent does not exist'),
        ((tmp_path / 'empty', out), 'holds no .csv or .json files'),
        ((folder, tmp_path / 'out.pkl'), '*.safetensors'),
        ((folder / 'b.csv', out, '--table', tmp_path / 'b.json'), 'b.json'),
    ]:
        with pytest.raises(SystemExit) as ended:
            run(*arguments)
        assert ended.value.code != 0
        assert message in capsys.readouterr().err
    assert not out.exists()
