"""``tools/infer.py`` as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import sys

import cv2
import pytest
from tiny_network import keypoints_of, write_network, write_translator
from tiny_run import load_tool
from tiny_video import SIZE, write_video

from mmsign.apis import SignInferencer
from mmsign.datasets import open_frames, write_keypoints
from mmsign.datasets.io.recording_files import linked_video
from mmsign.errors import ClipError, ConfigError
from mmsign.interop.elan import read_elan
from mmsign.interop.subtitles import read_subtitles

tool = load_tool('infer')


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('infer')
    config, checkpoint = write_network(folder)
    for name, frames in dict(a=16, b=20).items():
        write_video(folder / f'{name}.mp4', frames)
    poses = dict(a=keypoints_of(16), b=keypoints_of(20, seed=1))
    write_keypoints(folder / 'k.safetensors', poses, frame_size=SIZE)
    part = dict(part=keypoints_of(10))
    write_keypoints(folder / 'part.safetensors', part, frame_size=SIZE)
    return folder


@pytest.fixture
def infer(files):
    def infer(*arguments: str, keypoints: str = 'k.safetensors'):
        network = ['--config', f'{files}/tiny.py', '--checkpoint', f'{files}/tiny.pth']
        keypoints = ['--keypoints', f'{files}/{keypoints}']
        return tool.main([*arguments, *network, *keypoints, '--device', 'cpu'])

    return infer


def test_json_lines(infer, files, tmp_path, capsys):
    out = tmp_path / 'new' / 'out.jsonl'
    results = infer(f'{files}/a.mp4', f'{files}/b.mp4', '--out', str(out))
    records = [json.loads(row) for row in out.read_text().splitlines()]
    assert [record['num_frames'] for record in records] == [16, 20]
    assert records[1]['glosses'][0]['gloss'] == results[1].gloss_sequence[0]
    said = capsys.readouterr().out
    assert said.count('.mp4: ') == 2 and f'written: {out}' in said


def test_single_signs(infer, files, tmp_path, capsys):
    out = tmp_path / 'out.jsonl'
    clips = f'{files}/a.mp4', f'{files}/b.mp4'
    results = infer(*clips, '--single-signs', '2', '--out', str(out))
    records = [json.loads(row)['single_sign'] for row in out.read_text().splitlines()]
    assert records == [result.single_sign.to_dict() for result in results]
    said = capsys.readouterr().out
    for result in results:
        (first, p), (second, _) = result.single_sign.n_best
        none = '' if result.single_sign.accepted else 'none of these: '
        assert f'single sign: {none}{first} {p:.2f}, {second} ' in said
    infer(clips[0], '--single-signs', '2', '--out', str(tmp_path / 'a.png'))
    assert 'single sign: ' in capsys.readouterr().out
    with pytest.raises(ConfigError, match='--single-signs'):
        infer(*clips, '--single-signs', '-1')


def test_a_bad_clip_does_not_stop_the_others(infer, files, capsys):
    results = infer('gone.mp4', f'{files}/a.mp4')
    assert results[0].error and results[1].error is None
    assert 'error: no video file gone.mp4' in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != 'linux', reason='names are text elsewhere')
@pytest.mark.parametrize('kind', ['jsonl', 'png', 'mp4'])
def test_a_name_that_is_no_text(infer, files, tmp_path, kind):
    """As an old disk may have it; OpenCV is killed by such a string."""
    clip = tmp_path / os.fsdecode(b'a\xff.mp4')
    shutil.copy(files / 'a.mp4', clip)
    out = tmp_path / 'out' / os.fsdecode(f'o\xfe.{kind}'.encode('latin-1'))
    (result,) = infer(str(clip), '--out', str(out), keypoints='k.safetensors@a')
    assert result.glosses and out.stat().st_size > 0
    if kind == 'jsonl':
        assert json.loads(out.read_text())['clip'] == str(clip)


def test_a_picture(infer, files, tmp_path):
    infer(f'{files}/a.mp4', '--out', str(tmp_path / 'a.png'))
    picture = cv2.imread(str(tmp_path / 'a.png'))
    assert picture.shape[1] > 1000 and picture.std() > 20


def test_an_annotated_video(infer, files, tmp_path):
    path = tmp_path / 'a.mp4'
    infer(f'{files}/a.mp4', '--out', str(path))
    frames = open_frames(str(path))
    assert len(frames) == 16 and frames.frame_size == (320, 240 + 38)
    assert frames.read([15])[0, 240:].max() > 100  # a gloss was written


def test_an_estimator_instead_of_keypoints(files, monkeypatch):
    made = []

    class Estimator:
        name = 'another'

        def __init__(self, config, checkpoint, device, *_):
            made.append((config, checkpoint, device))

        def __call__(self, frames):
            return keypoints_of(len(list(frames)))

    monkeypatch.setattr('mmsign.pose.recipes.PoseEstimator', Estimator)
    network = ['--config', f'{files}/tiny.py', '--checkpoint', f'{files}/tiny.pth']
    pose = ['--estimator', 'fast', '--estimator-checkpoint', 'p.pth']
    (result,) = tool.main([f'{files}/a.mp4', *network, *pose, '--device', 'cpu'])
    assert made == [('fast', 'p.pth', 'cpu')] and result.glosses


def test_a_bundle_that_translates_prints_the_sentence(files, tmp_path, capsys):
    for package in ('transformers', 'sentencepiece'):
        pytest.importorskip(package)
    network = files / 'tiny.py', files / 'tiny.pth'
    config, checkpoint = write_translator(tmp_path, network)
    bundle = tmp_path / 'slt.bundle'
    load_tool('export/bundle').main([str(config), str(checkpoint), str(bundle)])
    clip = [f'{files}/a.mp4', '--keypoints', f'{files}/k.safetensors']
    plain = ['--config', str(config), '--checkpoint', str(checkpoint)]
    (expected,) = tool.main([*clip, *plain, '--device', 'cpu'])
    capsys.readouterr()
    out = tmp_path / 'out.jsonl'
    (found,) = tool.main([*clip, '--bundle', str(bundle), '--out', str(out)])
    assert found.sentence is not None
    assert found.translations == expected.translations
    assert found.outputs == expected.outputs
    assert f'\n  {found.sentence}\n' in capsys.readouterr().out
    assert json.loads(out.read_text())['sentence'] == found.sentence


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['x.mp4', '--out', 'x.txt'], r'x\.txt'),
        (['x.mp4', '--out', 'x.mp4/a.png'], r'x\.mp4/a\.png'),
        (['x.mp4', '--device', 'gpu', '--bundle', 'x.mp4', '--out', 'x.mp4'], 'x.mp4'),
        (['x.mp4', 'y.mp4', '--out', 'x.png'], 'shows one clip; 2 given'),
        (['x.mp4'], 'name one network'),
    ],
)
def test_arguments_that_do_not_fit(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'x.mp4').write_bytes(b'frames')
    with pytest.raises(ConfigError, match=message):
        tool.main(arguments)
    assert (tmp_path / 'x.mp4').read_bytes() == b'frames'


def test_no_input_is_written_over(infer, files, tmp_path):
    os.symlink(files, tmp_path / 'other')
    before = (files / 'a.mp4').read_bytes()
    for out in (f'{files}/a.mp4', f'{tmp_path}/other/a.mp4'):
        with pytest.raises(ConfigError, match='a.mp4'):
            infer(f'{files}/a.mp4', '--out', out)
    assert (files / 'a.mp4').read_bytes() == before


def test_what_is_done_when_it_is_interrupted_stays(infer, files, tmp_path, monkeypatch):
    """A clip's record is in the file as soon as it is recognized."""
    out = tmp_path / 'out.jsonl'
    postprocess = SignInferencer.postprocess
    clips = []

    def interrupted(self, job):
        if clips:
            assert len(out.read_text().splitlines()) == 1
            raise KeyboardInterrupt
        clips.append(job)
        return postprocess(self, job)

    monkeypatch.setattr('mmsign.apis.SignInferencer.postprocess', interrupted)
    with pytest.raises(KeyboardInterrupt, match=f'1 of 2 .*{out}'):
        infer(f'{files}/a.mp4', f'{files}/b.mp4', '--out', str(out))
    assert json.loads(out.read_text())['num_frames'] == 16


def test_nobody_needs_to_listen_if_there_is_a_file(infer, files, tmp_path, monkeypatch):
    def closed(*args, **kwargs):
        raise BrokenPipeError

    monkeypatch.setattr('sys.stdout', open(os.devnull, 'w'))  # noqa: SIM115
    monkeypatch.setattr('builtins.print', closed)
    out = tmp_path / 'out.jsonl'
    infer(f'{files}/a.mp4', f'{files}/b.mp4', '--out', str(out))
    assert len(out.read_text().splitlines()) == 2
    with pytest.raises(BrokenPipeError):
        infer(f'{files}/a.mp4')


def test_a_file_for_elan(infer, files, tmp_path):
    out = tmp_path / 'sub' / 'a.eaf'
    (result,) = infer(f'{files}/a.mp4', '--out', str(out))
    file = read_elan(out)
    outputs = ['', ' video', ' keypoint', ' joint']
    names = [
        f'GLOSS{output}{kind}' for output in outputs for kind in ('', ' confidence')
    ]
    assert set(file.tiers) == set(names) and list(file.tiers)[0] == 'GLOSS'
    found = file.tiers['GLOSS'].annotations
    assert [one.symbol for one in found] == list(result.gloss_sequence) != []
    for one, expected in zip(found, result.glosses):
        assert one.start == pytest.approx(expected.start, abs=6e-4)
        assert one.end <= expected.end + 6e-4
    scores = file.tiers['GLOSS confidence']
    assert scores.parent == 'GLOSS'
    assert [one.symbol for one in scores.annotations] == [
        f'{one.confidence:.2f}' for one in result.glosses
    ]
    video, media = linked_video(out, file, 1, tmp_path)
    assert os.path.samefile(video, files / 'a.mp4') and media.offset == 0
    with pytest.raises(ConfigError, match='shows one clip'):
        infer(f'{files}/a.mp4', f'{files}/b.mp4', '--out', str(out))
    with pytest.raises(ClipError, match='part of one'):
        infer(f'{files}/a.mp4#t=0,0.4', '--out', str(out), keypoints='part.safetensors')


def test_glosses_as_subtitles(infer, files, tmp_path):
    out = tmp_path / 'a.srt'
    (result,) = infer(f'{files}/a.mp4', '--out', str(out))
    texts = read_subtitles(out)
    assert [one.symbol for one in texts] == list(result.gloss_sequence)
    assert texts[0].start == pytest.approx(result.glosses[0].start, abs=6e-4)
