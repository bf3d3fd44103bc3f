import gzip
import os
import pickle

import numpy as np
import pytest
import torch

from mmsign.errors import CheckpointError, DataError
from mmsign.interop.slrt_checkpoint import check_class_count, read_checkpoint_vocabulary
from mmsign.interop.slrt_corpus import (
    is_pickle,
    read_slrt_annotations,
    read_slrt_keypoints,
    slrt_clip_id,
    slrt_keypoints,
)
from mmsign.vocab import GlossVocabulary, read_slrt_vocabulary


@pytest.fixture
def write(tmp_path):
    """Write a pickle; returns its path."""

    def write(value, name='x') -> str:
        path = tmp_path / name
        path.write_bytes(gzip.compress(pickle.dumps(value)))
        return str(path)

    return write


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('a-1', 'a-1'),
        ('train/a-1', 'a-1'),
        ('fullFrame-210x260px/dev/a-1/1', 'a-1'),
        ('S000020_P0000_T00', 'S000020_P0000_T00'),
        ('train', 'train'),
    ],
)
def test_clip_ids(name, expected):
    assert slrt_clip_id(name) == expected


def test_annotations(write):
    clip = dict(
        name='dev/a',
        signer='Signer08',
        gloss='REGEN  NORD',
        text='es regnet .',
        num_frames=torch.tensor(42),
        sign=torch.zeros(2, 3),
    )
    path = write([clip, dict(name='b', gloss=['A'], num_frames=7)])
    first, second = read_slrt_annotations(path)
    assert first == dict(
        clip_id='a',
        signer='Signer08',
        glosses=['REGEN', 'NORD'],
        text='es regnet .',
        num_frames=42,
        where=f'{path}, entry 0',
    )
    assert second['text'] is None and second['num_frames'] == 7


CLIP = dict(name='a', gloss='A')


@pytest.mark.parametrize(
    ('content', 'named'),
    [
        ({}, 'dict'),
        (['x'], 'entry 0'),
        ([CLIP, CLIP | dict(gloss=3)], 'entry 1: .*gloss'),
        ([CLIP | dict(name=1)], 'name'),
        ([CLIP | dict(text=1)], 'text'),
        ([CLIP | dict(num_frames=torch.ones(2))], 'num_frames'),
        ([CLIP | dict(num_frames=-1)], 'num_frames'),
        ([CLIP | dict(signer=[])], 'signer'),
    ],
)
def test_other_annotations_are_refused(write, content, named):
    with pytest.raises(DataError, match=named):
        read_slrt_annotations(write(content))


def test_keypoints(write):
    points = np.random.default_rng(0).uniform(0, 200, (2, 133, 3))
    content = {'a': dict(keypoints=points), 'b': dict(keypoints=torch.ones(1, 133, 3))}
    path = write(content)
    read = {
        clip: slrt_keypoints(path, clip, e) for clip, e in read_slrt_keypoints(path)
    }
    np.testing.assert_array_equal(read['a'], points)
    assert read['b'].shape == (1, 133, 3)
    for entry in (points, dict(keypoints=points[:, :79]), dict(keypoints='x'), None):
        with pytest.raises(DataError, match='clip a'):
            slrt_keypoints(path, 'a', entry)


IDS = {'<s>': 0, '<unk>': 1, '<pad>': 2, 'regen': 3, 'loc-nord': 4, 'nord2': 4}


def test_vocabulary_with_two_names_for_a_class(write):
    vocab = read_slrt_vocabulary(write(IDS))
    assert len(vocab) == 5 and vocab.blank == '<s>'
    assert vocab.glosses == ('<unk>', '<pad>', 'regen', 'loc-nord')
    assert vocab.encode(['nord2', 'loc-nord'], 'x') == [4, 4]
    assert vocab.decode([4]) == ['loc-nord']


def test_vocabulary_in_the_corpus_spelling(write):
    path = write({'<si>': 0} | {k: v for k, v in IDS.items() if v})
    vocab = read_slrt_vocabulary(path, ['REGEN', 'loc-NORD', 'Regen', 'REGEN'])
    assert vocab.glosses == ('<unk>', '<pad>', 'REGEN', 'loc-NORD')
    assert vocab.encode(['Regen', 'regen', 'nord2'], 'x') == [3, 3, 4]


@pytest.mark.parametrize(
    'content',
    [
        [],
        {},
        {'<s>': 0, 'a': 2},
        {'a': 0, '<s>': 1},
        {'<s>': 0, 'a b': 1},
        {'<s>': 0, 'a': '1'},
        {'<s>': 0, 'a': -1},
    ],
)
def test_other_vocabularies_are_refused(write, content):
    path = write(content)
    with pytest.raises(DataError, match=path):
        read_slrt_vocabulary(path)


def test_vocabularies_of_checkpoints(tmp_path):
    text = tmp_path / 'glosses.txt'
    text.write_text('regen\nüben\n', encoding='utf-8')
    assert read_checkpoint_vocabulary(text).glosses == ('regen', 'üben')
    content = {'<s>': 0, 'regen': 1, 'üben': 2, 'ueben': 2}
    for name in ('gloss2ids.pkl', 'anything'):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(content))
        assert is_pickle(path) and not is_pickle(text)
        vocab = read_checkpoint_vocabulary(path, ['REGEN'])
        assert vocab.glosses == ('REGEN', 'üben')
        assert vocab.aliases['ueben'] == 'üben'
    for name in ('gone.txt', 'gone.pkl'):
        with pytest.raises(FileNotFoundError, match=name):
            read_checkpoint_vocabulary(tmp_path / name)


class Command:
    def __reduce__(self):
        return os.mkdir, ('executed',)


def test_pickles_run_nothing(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for read in (read_slrt_vocabulary, read_slrt_annotations, read_slrt_keypoints):
        with pytest.raises(DataError, match='x'):
            list(read(write({'a': Command()})))
    assert not (tmp_path / 'executed').exists()


@pytest.mark.parametrize(
    ('classes', 'named'),
    [
        ({'x': 4, 'y': 5}, "'x': 4, 'y': 5"),
        ({'x': 6}, r'6 classes \(the blank and 5 glosses\), v\.txt has 3'),
        ({'x': 3}, "'a'"),
    ],
)
def test_class_counts(classes, named):
    vocab = GlossVocabulary(['a', 'b', 'c'])
    check_class_count(vocab, {'x': 4, 'y': 4}, 'v.txt', 'x.pth')
    with pytest.raises(CheckpointError, match=rf'x\.pth.*{named}'):
        check_class_count(vocab, classes, 'v.txt', 'x.pth')
