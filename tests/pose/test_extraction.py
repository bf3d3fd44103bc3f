import numpy as np
import pytest
from grey_video import write_video
from pose_recipes import Brightness

from mmsign.datasets import KeypointFile, write_keypoints
from mmsign.errors import PoseError
from mmsign.pose.extraction import extract
from mmsign.pose.sources import find_clips


@pytest.fixture
def clips(tmp_path):
    for index, name in enumerate(('a', 'b', 'c')):
        write_video(tmp_path / 'videos' / f'{name}.avi', [50 * (index + 1)] * 3)
    return find_clips(tmp_path / 'videos')


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'new' / 'keypoints.safetensors'


def values(out) -> dict[str, list[int]]:
    """Clip → the value of each frame, rounded to tens: videos lose a little."""
    file = KeypointFile(out)
    read = {clip_id: file.read(clip_id) for clip_id in file.clip_ids}
    assert all(points.shape[1:] == (133, 3) for points in read.values())
    return {k: np.round(p[:, 0, 0], -1).astype(int).tolist() for k, p in read.items()}


ALL = {'a': [50] * 3, 'b': [100] * 3, 'c': [150] * 3}


def test_all_clips_are_written_with_their_rate(clips, out):
    lines = []
    assert extract(clips, out, Brightness(), say=lines.append) == {}
    assert values(out) == ALL and KeypointFile(out).estimator == 'brightness'
    assert len(lines) == 3
    assert lines[1].startswith('[2/3] b: 3 frames; ') and 'frames/s' in lines[1]
    assert lines[2].endswith('0:00:00 left')
    assert sorted(p.name for p in out.parent.iterdir()) == [
        'keypoints.safetensors',
        'keypoints.safetensors.settings.json',
    ]


def test_an_interrupted_run_goes_on(clips, out, tmp_path):
    def stop_after_one(line):
        raise KeyboardInterrupt

    recipe = Brightness(log=str(tmp_path / 'log'))
    with pytest.raises(KeyboardInterrupt):
        extract(clips, out, recipe, say=stop_after_one)
    assert not out.exists()
    lines = []
    extract(clips, out, recipe, say=lines.append)
    assert lines[0] == '1 of 3 clips are there already'
    assert values(out) == ALL
    # No clip was estimated twice.
    assert len((tmp_path / 'log').read_text().splitlines()) == 3


def test_a_finished_file_is_added_to(clips, out, tmp_path):
    recipe = Brightness(log=str(tmp_path / 'log'))
    extract(clips[:2], out, recipe)
    extract(clips, out, recipe)
    extract(clips, out, recipe)
    assert values(out) == ALL
    assert len((tmp_path / 'log').read_text().splitlines()) == 3


def test_a_bad_clip_is_skipped_and_tried_again(clips, out, tmp_path):
    video = tmp_path / 'videos' / 'b.avi'
    good = video.read_bytes()
    video.write_bytes(b'damaged')
    lines = []
    failures = extract(clips, out, Brightness(), say=lines.append)
    assert list(failures) == ['b'] and 'b.avi' in failures['b']
    assert lines[1].startswith('[2/3] b: skipped: ')
    assert list(values(out)) == ['a', 'c']
    video.write_bytes(good)
    assert extract(clips, out, Brightness()) == {}
    assert values(out) == ALL


def test_keypoints_of_two_estimators_are_not_mixed(clips, out):
    extract(clips[:1], out, Brightness())
    with pytest.raises(PoseError, match='name brightness → darkness'):
        extract(clips, out, Brightness(name='darkness'))
    out.with_name(f'{out.name}.settings.json').unlink()
    with pytest.raises(PoseError, match=r'settings\.json'):
        extract(clips, out, Brightness())
    assert list(values(out)) == ['a']


def test_another_kind_of_file_is_refused(clips, tmp_path):
    with pytest.raises(PoseError, match=r'called NAME\.safetensors'):
        extract(clips, tmp_path / 'out.json', Brightness())


@pytest.mark.slow
def test_processes_share_the_work_and_report_what_fails(clips, out, tmp_path):
    (tmp_path / 'videos' / 'b.avi').write_bytes(b'damaged')
    failures = extract(clips, out, Brightness(), devices=['cpu', 'cpu'])
    assert list(failures) == ['b']
    assert list(values(out)) == ['a', 'c']


def test_what_is_wrong_with_the_run_ends_it_and_loses_nothing(clips, out):
    extract(clips[:1], out, Brightness())
    with pytest.raises(PoseError, match='these weights do not fit'):
        extract(clips, out, Brightness(broken=True))
    assert list(values(out)) == ['a']
    extract(clips, out, Brightness())
    assert values(out) == ALL


def test_a_file_of_an_earlier_version_goes_on_and_says_its_estimator(clips, out):
    recipe = Brightness()
    extract(clips[:1], out, recipe)
    first = KeypointFile(out).read('a')
    write_keypoints(out, dict(a=first))  # as it was before files said it
    assert KeypointFile(out).estimator is None
    extract(clips, out, recipe)
    assert KeypointFile(out).estimator == 'brightness' and values(out) == ALL
