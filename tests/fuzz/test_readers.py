"""Every reader of foreign files, on broken ones; see ``fuzzing``."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict

import cv2
import numpy as np
import poses
import pytest
import torch
from elan_files import EAF
from fuzzing import FUZZ, broken, nothing_is_done, read_broken
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.numpy import save as save_safetensors

from mmsign.compat.checkpoints import load_checkpoint
from mmsign.datasets import (
    CSLDailyDataset,
    KeypointFile,
    KeypointWriter,
    Phoenix2014Dataset,
    SignFolderDataset,
    open_frames,
)
from mmsign.datasets.io.images import decode_image
from mmsign.datasets.io.keypoint_sources import open_keypoint_sources
from mmsign.datasets.io.landmark_sources import find_recordings
from mmsign.errors import CheckpointError, DataError, FrameReadError
from mmsign.interop.elan import read_elan
from mmsign.interop.mediapipe_points import (
    MEDIAPIPE_TABLE,
    keypoints_79,
    read_landmarks,
)
from mmsign.interop.mmpose_json import read_mmpose_json
from mmsign.interop.nist import read_ctm, read_stm
from mmsign.interop.pose_files import read_pose, write_pose
from mmsign.interop.restricted_pickle import read_pickle
from mmsign.interop.slrt_corpus import read_slrt_annotations
from mmsign.interop.subtitles import read_subtitles
from mmsign.vocab import GlossVocabulary, read_slrt_vocabulary

POINTS = np.ones((2, 133, 3), np.float32)
ARRAYS = dict(
    f=np.arange(6.0).reshape(2, 3),
    u=np.array(['a', 'bc']),
    t=torch.arange(4).view(2, 2),
    o=OrderedDict(a=1),
    s=[np.float32(1), {1, 2}, frozenset('a'), b'x', None, True, (1, 2.5)],
)
CLIPS = [dict(name='a', signer='S', gloss='A B', text='x', num_frames=3)]
IDS = {'<s>': 0, '<unk>': 1, 'a': 2, 'b': 2}
KEYPOINTS = {'a': dict(keypoints=POINTS[:1])}


def read_keypoints(path):
    for read in open_keypoint_sources([path]).values():
        read()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz')


def pickles(value) -> list[bytes]:
    return [pickle.dumps(value, protocol=protocol) for protocol in (0, 2, 4, 5)]


@pytest.mark.parametrize('good', pickles(ARRAYS), ids=['0', '2', '4', '5'])
def test_restricted_pickle(folder, good):
    @FUZZ
    @given(broken(good))
    def run(data):
        read_broken(folder / 'x.pkl', data, read_pickle, (DataError,))

    run()


@pytest.mark.parametrize(
    ('value', 'read'),
    [
        (CLIPS, read_slrt_annotations),
        (IDS, read_slrt_vocabulary),
        (KEYPOINTS, read_keypoints),
    ],
    ids=['annotations', 'vocabulary', 'keypoints'],
)
def test_files_of_the_authors(folder, value, read):
    @FUZZ
    @given(broken(pickle.dumps(value, protocol=0)))
    def run(data):
        read_broken(folder / 'x.pkl', data, read, (ValueError,))

    run()


@FUZZ
@given(broken(gzip.compress(pickle.dumps(CLIPS), mtime=0)))
def test_gzip(folder, data):
    read_broken(folder / 'x.pkl', data, read_slrt_annotations, (ValueError,))


CSL = dict(
    info=[dict(name='a', signer=1, length=3, label_gloss=['A'], label_char=['a', 'b'])]
)


@FUZZ
@given(broken(pickle.dumps(CSL, protocol=0)), broken(b'name|split\na|train\nb|dev\n'))
def test_csl_daily(folder, content, split):
    root = folder / 'csl'
    root.mkdir(exist_ok=True)
    (root / 'csl2020ct_v2.pkl').write_bytes(content)
    (root / 'split_1.txt').write_bytes(split)
    with nothing_is_done():
        try:
            CSLDailyDataset(data_root=str(root), split='train')
        except ValueError as error:
            assert str(root) in str(error)


TABLE = 'id|folder|signer|annotation\na|a/1/*.png|S|A B\nü|b|S|C\n'.encode()


@FUZZ
@given(broken(TABLE))
def test_tables(folder, data):
    table = folder / 'annotations' / 'manual' / 'train.corpus.csv'
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_bytes(data)
    with nothing_is_done():
        try:
            clips = Phoenix2014Dataset(data_root=str(folder), split='train')
        except ValueError as error:
            assert str(folder) in str(error)
        else:
            inside = str(folder / Phoenix2014Dataset.FRAMES)
            for index in range(len(clips)):
                frames = clips.get_data_info(index)['frames']
                assert frames.startswith(inside) and '/..' not in frames


MANIFESTS = {
    'm.csv': 'id,video,glosses,split,text\na,v.mp4,A B,train,"x, y"\n',
    'm.jsonl': '{"id": "a", "video": "v", "glosses": ["A"], "split": "train"}\n' * 2,
}


@pytest.mark.parametrize('name', MANIFESTS)
def test_manifests(folder, name):
    def read(path):
        SignFolderDataset(data_root=str(folder), split='train', ann_file=path.name)

    @FUZZ
    @given(broken(MANIFESTS[name].encode()))
    def run(data):
        try:
            read_broken(folder / name, data, read, (ValueError,))
        except AssertionError as error:
            # No clips at all: the message names the folder.
            assert 'has no clips' in str(error), error

    run()


@FUZZ
@example(EAF.replace('UTF-8', 'no-such-encoding').encode())
@example(EAF.replace('"1683"', f'"{"9" * 400}"').encode())
@example(EAF.replace('"1683"', f'"{"9" * 5000}"').encode())
@example(EAF.replace('TIME_ORIGIN="40"', f'TIME_ORIGIN="{"9" * 400}"').encode())
@given(broken(EAF.encode()))
def test_elan(folder, data):
    read_broken(folder / 'rec.eaf', data, read_elan, (DataError,))


SUBTITLES = 'WEBVTT\n\n1\n00:01.000 --> 00:02.500\nEs <i>regnet</i>.\n\nNOTE x\n'


@pytest.mark.parametrize('kind', ['srt', 'vtt'])
def test_subtitles(folder, kind):
    @FUZZ
    @example(SUBTITLES.replace('00:01', f'{"9" * 5000}:00:01').encode())
    @example(SUBTITLES.replace('00:01', f'{"9" * 400}:00:01').encode())
    @given(broken(SUBTITLES.encode()))
    def run(data):
        read_broken(folder / f'rec.{kind}', data, read_subtitles, (DataError,))

    run()


def native() -> bytes:
    metadata = dict(format='mmsign-keypoints', version='1', layout='coco_wholebody_133')
    return save_safetensors(
        dict(a=POINTS.astype(np.float16), b=POINTS[:0].astype(np.float16)),
        metadata=metadata | dict(frame_size='20x24'),
    )


def read_native(path) -> None:
    file = KeypointFile(path)
    for clip in file.clip_ids:
        points = file.read(clip)
        assert points.shape == (file.length(clip), 133, 3)


@FUZZ
@given(broken(native()[:400]).map(lambda head: head + native()[400:]))
def test_keypoint_file(folder, data):
    read_broken(folder / 'k.safetensors', data, read_native, (DataError,))


def journal(folder) -> bytes:
    path = folder / 'good.safetensors'
    writer = KeypointWriter(path)
    writer.add('a', POINTS)
    writer.add('b', POINTS[:1])
    writer._journal.close(remove=False)
    return (folder / 'good.safetensors.journal').read_bytes()


def test_journal_of_keypoints(folder):
    good = journal(folder)

    @FUZZ
    @given(broken(good))
    @example(b'[' * 5000 + b'\n')
    @example(good.replace(b'"frames": 2', b'"frames": 1e9'))
    @example(good.replace(b'"frames": 2', b'"frames": 99999999999999'))
    def run(data):
        path = folder / 'j.safetensors'
        path.unlink(missing_ok=True)
        (folder / 'j.safetensors.journal').write_bytes(data)
        try:
            with KeypointWriter(path):
                pass
        except DataError as error:
            assert path.name in str(error)
        else:
            read_native(path)

    run()


PERSON = dict(keypoints=[[1.0, 2.0], [3.0, 4.0]], keypoint_scores=[0.5, 1])
JSON = json.dumps([dict(frame_id=i, instances=[PERSON] * 2) for i in (1, 3)]).encode()


def read_mmpose(path):
    points = read_mmpose_json(path, notify=str)
    assert points.ndim == 3 and np.isfinite(points).all()
    for length in (len(points), len(points) + 1):
        try:
            assert len(read_mmpose_json(path, length, str)) == length
        except DataError as error:  # without frame ids, or counted from elsewhere
            assert 'frame' in str(error)


@FUZZ
@given(broken(JSON))
@example(JSON.replace(b'[0.5, 1]', b'[0.5, 1e999]'))
@example(JSON.replace(b'[0.5, 1]', b'["a", "b"]'))
def test_mmpose_json(folder, data):
    read_broken(folder / 'p.json', data, read_mmpose, (DataError,))


PERSONS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.floats(0, 1, width=32)),
    max_size=3,
)
IDS_OF_FRAMES = st.lists(
    st.one_of(st.integers(-2, 12), st.sampled_from([None, 10**9, True, '1', 2.0]))
)


@FUZZ
@given(st.data(), IDS_OF_FRAMES, st.one_of(st.none(), st.integers(1, 12)))
def test_frame_ids_and_persons(folder, draws, ids, length):
    """Whatever is read is in the frame that it was written for, and one person's."""
    entries, written = [], {}
    for number in ids:
        persons = draws.draw(PERSONS)
        written[number] = [(x, y, s) for x, y, s in persons]
        instances = [
            dict(keypoints=[[x, y]] * 2, keypoint_scores=[s] * 2) for x, y, s in persons
        ]
        entries.append(dict(frame_id=number, instances=instances))
    path = folder / 'ids.json'
    path.write_text(json.dumps(entries))
    try:
        points = read_mmpose_json(path, length, str)
    except DataError as error:
        assert path.name in str(error)
        return
    if ids.count(None) == len(ids):
        assert len(points) == len(ids)
        return
    assert all(type(number) is int for number in ids) and len(set(ids)) == len(ids)
    first = 0 if 0 in ids or not (1 in ids or max(ids) == length) else 1
    assert len(points) == length if length else max(ids) + 1 - first
    most = max(map(len, written.values()))
    for frame, (point, _) in enumerate(points):
        there = [np.float32(person) for person in written.get(frame + first, ())]
        if most > 1 or not there:
            there.append(np.zeros(3, np.float32))
        assert any((point == person).all() for person in there)


LANDMARKS = {
    'l.csv': b'frame,type,landmark_index,x,y,score\n0,pose,0,.5,.5,1\n2,face,1,1,2,\n',
    'm.csv': b'frame,point,x,y\n5,nose,0.5,0.5\n7,"left, wrist",1,2\n',
    'l.json': b'[{"pose_landmarks": [{"x": 0.5, "y": 0.5, "visibility": 1}]}, {}]',
    'm.json': b'[{"pose_0": [1, 2, 0.5], "tip": null}, {"pose_0": [1, 2]}]',
}


@pytest.mark.parametrize('name', LANDMARKS)
def test_landmarks(folder, name):
    def read(path):
        try:
            points = keypoints_79(read_landmarks(path), frame_size=(210, 260))
        except DataError as error:
            # The frame is named; the tools name the file.
            raise DataError(f'{path}: {error}') from error
        assert np.isfinite(points.astype(np.float16)).all()

    @FUZZ
    @given(broken(LANDMARKS[name]))
    def run(data):
        read_broken(folder / name, data, read, (DataError,))

    run()


@FUZZ
@given(broken('REGEN\nNORD\nWÜRZBURG\n'.encode()))
def test_vocabulary_file(folder, data):
    read_broken(folder / 'v.txt', data, GlossVocabulary.from_file, (ValueError,))


@pytest.mark.parametrize(
    ('good', 'read'),
    [
        (b';; x\na 1 0.00 0.10 WORD 0.9\na 1 0.1 0.1 B\n', read_ctm),
        (b';; x\na 1 S 0.0 1.79e+308 A B\nb 1 S 0.0 2.0 <o> C\n', read_stm),
    ],
    ids=['ctm', 'stm'],
)
def test_ctm_and_stm(folder, good, read):
    @FUZZ
    @given(broken(good))
    def run(data):
        read_broken(folder / 'x.ctm', data, read, (ValueError,))

    run()


def checkpoint(legacy: bool) -> bytes:
    buffer = io.BytesIO()
    content = dict(state_dict=dict(w=torch.ones(2, 3)), meta=dict(epoch=1))
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('legacy', [False, True])
def test_checkpoints(folder, legacy):
    @FUZZ
    @given(broken(checkpoint(legacy)))
    @example(b'j')
    @example(b'\x8a')
    def run(data):
        read_broken(folder / 'c.pth', data, load_checkpoint, (CheckpointError,))

    run()


def image(suffix: str) -> bytes:
    picture = np.random.default_rng(0).integers(0, 255, (8, 6, 3), dtype=np.uint8)
    return cv2.imencode(suffix, picture)[1].tobytes()


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_images(suffix):
    @FUZZ
    @given(broken(image(suffix)))
    def run(data):
        with nothing_is_done():
            try:
                frame = decode_image(data, f'x{suffix}')
            except FrameReadError as error:
                assert f'x{suffix}' in str(error)
            else:
                assert frame.dtype == np.uint8 and frame.shape[2:] == (3,)

    run()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as file:
        for name in ('in/1.png', 'in/2.png'):
            file.writestr(zipfile.ZipInfo(name), image('.png'))
    return buffer.getvalue()


@FUZZ
@given(broken(archive()))
@example(archive()[1:])
def test_archives(folder, data):
    def read(path):
        frames = open_frames(f'{path}@in')
        frames.read(range(len(frames)))

    read_broken(folder / 'f.zip', data, read, (FrameReadError,))


def test_poses(folder, monkeypatch):
    if importlib.util.find_spec('pose_format') is None:
        poses.stand_in(monkeypatch)
    write_pose(folder / 'whole.pose', POINTS, (64, 48), 25.0)

    def read(path):
        with np.errstate(all='ignore'):
            found = read_pose(path, notify=lambda text: None)
        assert found.points.shape[1:] == (133, 3) and min(found.frame_size) > 1

    @FUZZ
    @given(broken((folder / 'whole.pose').read_bytes()))
    def run(data):
        read_broken(folder / 'f.pose', data, read, (DataError,))

    run()


def test_the_watch_sees_what_is_done(folder):
    with pytest.raises(AssertionError), nothing_is_done():
        subprocess.run([sys.executable, '-c', ''], check=True)
    with pytest.raises(AssertionError), nothing_is_done():
        (folder / 'written').write_text('x')
    with nothing_is_done():
        (folder / 'written').read_text()


def numpy_file(name: str) -> bytes:
    file, vectors = io.BytesIO(), np.full((2, 258), 0.5, np.float16)
    if name.endswith('.npy'):
        np.save(file, vectors)
    else:
        np.savez_compressed(
            file, X=vectors[None], y=np.array([0]), names=np.array(['a'])
        )
    return file.getvalue()


@pytest.mark.parametrize('name', ['x.npy', 'x.npz'])
def test_landmarks_as_vectors(folder, name):
    def read(path):
        for recording in find_recordings(path):
            assert recording.read(MEDIAPIPE_TABLE).points.shape[1:] == (133, 3)

    @FUZZ
    @given(broken(numpy_file(name)))
    def run(data):
        read_broken(folder / name, data, read, (DataError,))

    run()
