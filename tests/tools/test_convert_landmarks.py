import json

import numpy as np
import poses
import pytest
from tiny_run import load_tool

from mmsign.datasets import KeypointFile, SignFolderDataset, write_keypoints
from mmsign.datasets.corpus_check import check_corpus
from mmsign.interop.pose_files import write_pose
from mmsign.keypoints import select_79

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
    assert file.estimator == 'mediapipe-holistic'
    assert file.clip_ids == ['b', 'deep/a'] and file.length('deep/a') == 2
    np.testing.assert_allclose(file.read('deep/a')[0, 68], (99.5, 49.5, 0.9), atol=0.01)
    np.testing.assert_allclose(file.read('b')[0, 68], (49.5, 99.5, 1))


def test_points_of_another_table_in_pixels(tmp_path):
    (tmp_path / 'c.csv').write_text('frame,point,x,y\n0,snout,7,8\n')
    (tmp_path / 't.json').write_text('{"snout": 0}')
    out = tmp_path / 'out.safetensors'
    table = f'--table={tmp_path / "t.json"}'
    by = '--estimator=tracker'
    assert run(tmp_path / 'c.csv', out, table, '--pixels') == 0
    assert KeypointFile(out).estimator is None
    assert run(tmp_path / 'c.csv', out, table, '--pixels', by) == 0
    assert KeypointFile(out).estimator == 'tracker'
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
    assert '7 recordings could not be read' in error and 'snout' in error
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
        ((tmp_path / 'empty', out), 'holds no recording (.csv, .json'),
        ((folder, tmp_path / 'out.pkl'), '*.safetensors'),
        ((folder / 'b.csv', out, '--table', tmp_path / 'b.json'), 'b.json'),
    ]:
        with pytest.raises(SystemExit) as ended:
            run(*arguments)
        assert ended.value.code != 0
        assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.fixture
def signs(tmp_path):
    """Three signs, three recordings each: a file, and folders of frames."""
    folder = tmp_path / 'signs'
    rng = np.random.default_rng(0)
    for sign in ('book', 'car', 'no'):
        (folder / sign / '1').mkdir(parents=True)
        (folder / sign / '2').mkdir()
        np.save(folder / sign / '0.npy', rng.uniform(0.1, 0.9, (20, 258)))
        for recording, frame in [(r, f) for r in '12' for f in range(20)]:
            vector = rng.uniform(0.1, 0.9, 258)
            np.save(folder / sign / recording / f'{frame}.npy', vector)
    return folder


def test_vectors_become_a_corpus_that_is_complete(signs, tmp_path, capsys):
    out = tmp_path / 'corpus'
    assert run(signs, out, '--fps=30') == 0
    assert '9 clips' in (said := capsys.readouterr().out)
    assert '3 glosses, book, car, no\n' in said
    report = check_corpus(SignFolderDataset, str(out), 'keypoints.safetensors', fps=15)
    assert report.complete
    assert [split.lengths for split in report.splits.values()] == [[10] * 3] * 3
    pipeline = [dict(type='LoadClip', frames=False)]
    settings = dict(keypoint_file='keypoints.safetensors', pipeline=pipeline)
    test = SignFolderDataset(str(out), 'test', **settings)
    names = [(clip['clip_id'], clip['glosses']) for clip in test]
    assert names == [(f'{sign}/2', [sign]) for sign in ('book', 'car', 'no')]
    vector = np.load(signs / 'book' / '2' / '7.npy')
    expected = [vector[0] * 200 - 0.5, vector[1] * 100 - 0.5, vector[3]]
    np.testing.assert_allclose(test[0]['keypoints'][7, 68], expected, atol=0.07)
    # Again, as a table says.
    (tmp_path / 'l.csv').write_text('id,glosses,split\nbook/0,I BOOK,test\nx,A,dev\n')
    assert run(signs, out, f'--labels={tmp_path / "l.csv"}') == 1
    assert "the table of labels has no 'car/0'" in (seen := capsys.readouterr()).err
    assert 'no recordings of 1, x first' in seen.out
    again = SignFolderDataset(str(out), 'test', **settings)
    assert [clip['glosses'] for clip in again] == [['I', 'BOOK']]


def test_recordings_that_are_none_are_named(signs, tmp_path, capsys):
    np.save(signs / 'book' / 'long.npy', np.ones((3, 300)))
    np.save(signs / 'book' / 'nan.npy', np.full((3, 258), np.nan))
    np.save(signs / 'book' / 'pixels.npy', np.full((3, 258), 3000.0))
    mixed = np.full((3, 258), 0.5)
    mixed[:, 132:195] = 300.0  # the left hand in pixels
    np.save(signs / 'book' / 'mixed.npy', mixed)
    np.save(signs / 'book' / 'none.npy', np.zeros((0, 258)))
    np.save(signs / 'loose.npy', np.full((3, 258), 0.5))
    (signs / 'thank you').mkdir()
    np.save(signs / 'thank you' / '0.npy', np.full((3, 258), 0.5))
    assert run(signs, tmp_path / 'corpus') == 1
    error = capsys.readouterr().err
    assert '7 recordings could not be read' in error
    for line in (
        'long.npy: an array of float64, shape (3, 300); expected numbers, 258 or 1662',
        'nan.npy: no point found; expected shares of the frame, or give --pixels',
        'pixels.npy: no point found',
        '% of the points lie 20 frames away or more: pixels among shares of the frame?',
        'none.npy: an array of shape (0, 258)',
        'loose.npy: nothing says its gloss',
        "0.npy: 'thank you' would be 2 glosses",
    ):
        assert line in error
    assert (
        len(KeypointFile(tmp_path / 'corpus' / 'keypoints.safetensors').clip_ids) == 9
    )
    assert run(signs / 'car' / '0.npy', tmp_path / 'a.safetensors', '--pixels') == 1
    assert 'leave --pixels out' in capsys.readouterr().err
    assert not (tmp_path / 'a.safetensors').exists()


def test_poses_say_their_size_and_rate(tmp_path, monkeypatch, capsys):
    poses.stand_in(monkeypatch)
    points = np.random.default_rng(0).uniform(1, 90, (20, 133, 3)) * (1, 1, 0.01)
    whole = {
        f'{sign}/{n}': points + (n, n, 0) for sign in ('book', 'car') for n in range(3)
    }
    write_keypoints(tmp_path / 'k.safetensors', whole, frame_size=(200, 100))
    command = [str(tmp_path / 'k.safetensors'), str(tmp_path / 'poses')]
    keypoints = load_tool('convert/keypoints')
    assert keypoints.main([*command, '--fps', '30']) == 0
    assert '6 clips added' in capsys.readouterr().out
    # One of another size and rate.
    write_pose(tmp_path / 'poses/car/2.pose', points, (400, 300), 25)
    (tmp_path / 'poses/car/3.pose').write_bytes(b'no pose')
    assert tool.main([str(tmp_path / 'poses'), str(tmp_path / 'corpus')]) == 1
    said = capsys.readouterr()
    assert 'car/3.pose: no pose file' in said.err
    assert said.out.count('\n') == 2 and '6 clips, 100.0% of the' in said.out
    report = check_corpus(
        SignFolderDataset, str(tmp_path / 'corpus'), 'keypoints.safetensors', fps=25
    )
    assert report.complete
    test = report.splits['test']
    assert test.sizes == {(200, 100): 1, (400, 300): 1}
    assert test.rates == {'30': 1, '25': 1} and sorted(test.lengths) == [17, 20]
    # Whoever made points of COCO-WholeBody; not MediaPipe.
    assert KeypointFile(tmp_path / 'corpus' / 'keypoints.safetensors').estimator is None
    load = [dict(type='LoadClip', frames=False)]
    clips = SignFolderDataset(
        str(tmp_path / 'corpus'), 'test', 'keypoints.safetensors', pipeline=load
    )
    assert [clip['frame_size'] for clip in clips] == [(200, 100), (400, 300)]
    other = tmp_path / 'poses/car/4.csv'
    other.write_text('frame,point,x,y\n0,pose_0,0.5,0.5\n')
    both, by = tmp_path / 'both', '--estimator=mine'
    with pytest.raises(SystemExit):
        run(tmp_path / 'poses', both)
    said = capsys.readouterr().err
    assert 'several estimators' in said and '4.csv: mediapipe-holistic' in said
    assert not both.exists()
    run(tmp_path / 'poses', both, by)
    assert KeypointFile(both / 'keypoints.safetensors').estimator == 'mine'
    other.unlink()
    np.testing.assert_allclose(
        clips[0]['keypoints'], select_79(whole['book/2']), atol=0.07
    )
    assert run(tmp_path / 'poses', tmp_path / 'corpus') == 1
    assert 'car/2.pose: it states frames of 400×300' in capsys.readouterr().err
    for wrong, message in (
        ([*command], '--fps'),
        ([command[0], str(tmp_path / 'x.safetensors'), '--fps', '25'], '--fps'),
        ([*command, '--fps', '30', '--frame-size', '9x9'], '--frame-size'),
    ):
        with pytest.raises(SystemExit):
            keypoints.main(wrong)
        assert message in capsys.readouterr().err


def test_nothing_says_how_large_the_frames_were(folder, tmp_path, capsys):
    assert tool.main([str(folder), str(tmp_path / 'a.safetensors')]) == 1
    assert 'b.csv: nothing says its frame size' in capsys.readouterr().err


def test_labels_are_of_a_corpus(signs, tmp_path, capsys):
    for option in ('--fps=30', f'--labels={tmp_path / "l.csv"}'):
        with pytest.raises(SystemExit):
            run(signs, tmp_path / 'a.safetensors', option)
        assert 'name a folder as OUT' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(signs, tmp_path / 'corpus', '--fps=0')
    assert '--fps' in capsys.readouterr().err
