import gzip
import pickle

import pytest
import torch

from mmsign.interop.slrt_annotations import (
    read_slrt_annotations,
    read_slrt_vocabulary,
    slrt_clip_id,
)


def write(tmp_path, value) -> str:
    path = tmp_path / 'x'
    path.write_bytes(gzip.compress(pickle.dumps(value)))
    return str(path)


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


def test_annotations(tmp_path):
    clip = dict(
        name='dev/a',
        signer='Signer08',
        gloss='REGEN  NORD',
        text='es regnet .',
        num_frames=torch.tensor(42),
        sign=torch.zeros(2, 3),
    )
    path = write(tmp_path, [clip, dict(name='b', gloss=['A'], num_frames=7)])
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


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({}, 'a list of dicts, found a dict'),
        (['x'], 'entry 0: expected a dict'),
        ([dict(name='a', gloss=3)], 'under the key gloss'),
        ([dict(name=1, gloss='A')], 'keys name and text'),
        ([dict(name='a', gloss='A', num_frames=torch.ones(2))], 'number of frames'),
        ([dict(name='a', gloss='A', signer=[])], 'under the key signer'),
    ],
)
def test_other_annotations_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_slrt_annotations(write(tmp_path, content))


IDS = {'<s>': 0, '<unk>': 1, '<pad>': 2, 'regen': 3, 'loc-nord': 4, 'nord2': 4}


def test_vocabulary_with_two_names_for_a_class(tmp_path):
    vocab = read_slrt_vocabulary(write(tmp_path, IDS))
    assert len(vocab) == 5 and vocab.blank == '<s>'
    assert vocab.glosses == ('<unk>', '<pad>', 'regen', 'loc-nord')
    assert vocab.encode(['nord2', 'loc-nord'], 'x') == [4, 4]
    assert vocab.decode([4]) == ['loc-nord']


def test_vocabulary_in_the_corpus_spelling(tmp_path):
    path = write(tmp_path, {'<si>': 0} | {k: v for k, v in IDS.items() if v})
    vocab = read_slrt_vocabulary(path, ['REGEN', 'loc-NORD', 'Regen', 'REGEN'])
    assert vocab.glosses == ('<unk>', '<pad>', 'REGEN', 'loc-NORD')
    assert vocab.encode(['Regen', 'regen', 'NORD2'.lower()], 'x') == [3, 3, 4]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([], 'a dict gloss → id'),
        ({'<s>': 0, 'a': 2}, 'no gloss has the class number 1'),
        ({'a': 0, '<s>': 1}, "class 0 is 'a'"),
        ({'<s>': 0, 'a b': 1}, 'without white space'),
        ({'<s>': 0, 'a': '1'}, 'of str and str'),
    ],
)
def test_other_vocabularies_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_slrt_vocabulary(write(tmp_path, content))
