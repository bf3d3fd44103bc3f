import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from mmsign.datasets import KeypointFile

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def tool():
    path = ROOT / 'tools' / 'data' / 'convert_landmarks.py'
    spec = importlib.util.spec_from_file_location('convert_landmarks', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / 'landmarks'
    (folder / 'deep').mkdir(parents=True)
    frames = [{'pose_landmarks': [{'x': 0.5, 'y': 0.5, 'visibility': 0.9}]}, {}]
    (folder / 'deep' / 'a.json').write_text(json.dumps(frames))
    (folder / 'b.csv').write_text('frame,type,landmark_index,x,y\n0,pose,0,0.25,1\n')
    (folder / 'readme.txt').write_text('')
    return folder


def run(tool, *arguments) -> int:
    return tool.main([*map(str, arguments), '--frame-size=200x100'])


def test_a_folder_becomes_a_keypoint_file(tool, folder, tmp_path):
    out = tmp_path / 'new' / 'out.safetensors'
    assert run(tool, folder, out) == 0
    file = KeypointFile(out)
    assert file.layout == 'mmsign_79' and file.frame_size == (200, 100)
    assert file.clip_ids == ['b', 'deep/a'] and file.length('deep/a') == 2
    np.testing.assert_allclose(file.read('deep/a')[0, 68], (99.5, 49.5, 0.9), atol=0.01)
    np.testing.assert_allclose(file.read('b')[0, 68], (49.5, 99.5, 1))


def test_points_of_another_table_in_pixels(tool, tmp_path):
    (tmp_path / 'c.csv').write_text('frame,point,x,y\n0,snout,7,8\n')
    (tmp_path / 't.json').write_text('{"snout": 0}')
    out = tmp_path / 'out.safetensors'
    table = f'--table={tmp_path / "t.json"}'
    assert run(tool, tmp_path / 'c.csv', out, table, '--pixels') == 0
    np.testing.assert_array_equal(KeypointFile(out).read('c')[0, 68], (7, 8, 1))


def test_faulty_files_are_listed_and_the_rest_is_written(
    tool, folder, tmp_path, capsys
):
    (folder / 'bad.csv').write_text('frame,x\n')
    (folder / 'other.csv').write_text('frame,point,x,y\n0,snout,7,8\n')
    out = tmp_path / 'out.safetensors'
    assert run(tool, folder, out) == 1
    error = capsys.readouterr().err
    assert '2 files could not be read' in error and 'bad.csv: columns' in error
    assert 'other.csv: the table knows none of its points (snout, …)' in error
    assert KeypointFile(out).clip_ids == ['b', 'deep/a']


def test_mistakes_are_told_in_a_line(tool, folder, tmp_path, capsys):
    out = tmp_path / 'out.safetensors'
    (tmp_path / 'empty').mkdir()
    (tmp_path / 't.json').write_text('{"snout": 200}')
    (folder / 'b.json').write_text('[]')
    for arguments, message in [
        ((tmp_path / 'absent', out), 'absent does not exist'),
        ((tmp_path / 'empty', out), 'holds no .csv or .json files'),
        ((folder, tmp_path / 'out.pkl'), 'is called NAME.safetensors'),
        ((folder / 'b.csv', out, '--table', tmp_path / 'b.json'), 'b.json'),
    ]:
        with pytest.raises(SystemExit) as ended:
            run(tool, *arguments)
        assert ended.value.code != 0
        assert message in capsys.readouterr().err
    assert not out.exists()
