import hashlib
from pathlib import Path

import numpy as np
import pytest

from mmsign.datasets.io.frame_sources import open_frames
from mmsign.datasets.io.keypoint_file import KeypointFile
from mmsign.errors import DataError
from mmsign.toy.corpus import (
    LAYOUTS,
    SPLITS,
    Sentence,
    invent_sentences,
    read_sentences,
    write_corpus,
)
from mmsign.toy.variants import USUAL

SENTENCES = invent_sentences(dict(train=2, dev=1, test=1), citations=0, seed=3)


def digest(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob('*'))
        if path.is_file()
    }


def write(root: Path, layout: str = 'phoenix2014T', **kwargs) -> Path:
    arguments = dict(size=(42, 52), seed=3, workers=1) | kwargs
    write_corpus(root, SENTENCES, layout, **arguments)
    return root


@pytest.fixture(scope='module')
def corpus(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp('toy'))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(
    corpus, tmp_path
):
    again = write(tmp_path / 'again', workers=2)
    assert digest(again) == digest(corpus)
    assert digest(write(tmp_path / 'other', seed=4)) != digest(corpus)


@pytest.mark.slow
@pytest.mark.parametrize('layout', LAYOUTS)
def test_the_corpus_readers_read_it(layout, tmp_path):
    root = write(tmp_path, layout)
    assert sorted(path.name for path in root.iterdir()) == [
        'annotations',
        'features',
        'keypoints.safetensors',
    ]
    keypoints = KeypointFile(str(root / 'keypoints.safetensors'))
    for split, sentences in SENTENCES.items():
        clips = LAYOUTS[layout][0](data_root=str(root), split=split)
        assert len(clips) == len(sentences)
        for index, sentence in enumerate(sentences):
            info = clips.get_data_info(index)
            assert tuple(info['glosses']) == sentence.glosses
            assert info['signer'] == sentence.signer
            frames = open_frames(info['frames'])
            assert frames.frame_size == (42, 52)
            points = keypoints.read(info['clip_id'])
            assert points.shape == (len(frames), 133, 3)


def test_signers_of_the_test_split_are_unseen_and_citations_complete():
    corpus = invent_sentences(dict(train=40, dev=10, test=10), citations=2, seed=0)
    signers = {split: {row.signer for row in rows} for split, rows in corpus.items()}
    assert {split: len(names) for split, names in signers.items()} == USUAL.signers
    assert not signers['train'] & (signers['dev'] | signers['test'])
    seen = {gloss for row in corpus['train'] for gloss in row.glosses}
    assert all(set(row.glosses) <= seen for rows in corpus.values() for row in rows)
    single = [row for row in corpus['train'] if len(row.glosses) == 1]
    assert len(single) == 2 * len(seen) * USUAL.signers['train']


def test_lost_keypoints_have_low_scores(corpus):
    keypoints = KeypointFile(str(corpus / 'keypoints.safetensors'))
    scores = np.concatenate([keypoints.read(i)[..., 2] for i in keypoints.clip_ids])
    assert ((scores > 0.65) | (scores < 0.35)).all()


def write_tables(folder: Path, header='id|folder|signer|annotation') -> Path:
    folder.mkdir(exist_ok=True)
    for split in SPLITS:
        rows = [f'{split}{i}|{split}{i}/1/*.png|S1|EINS ZWEI-{i}' for i in range(3)]
        text = '\n'.join([header, *rows])
        (folder / f'{split}.corpus.csv').write_text(text)
    return folder


def test_sentences_of_a_real_corpus(tmp_path):
    found = read_sentences(write_tables(tmp_path / 'tables'), 'phoenix2014')
    assert found['dev'][2] == Sentence('dev2', 'S1', ('EINS', 'ZWEI-2'))
    root = tmp_path / 'out'
    write_corpus(root, found, 'phoenix2014', (42, 52), 0, limit=1, workers=1)
    assert read_sentences(root, 'phoenix2014') == found
    keypoints = KeypointFile(str(root / 'keypoints.safetensors'))
    assert keypoints.clip_ids == ['dev0', 'test0', 'train0']


def test_tables_that_are_not_there_or_of_another_corpus(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'train\.corpus\.csv'):
        read_sentences(tmp_path, 'phoenix2014')
    with pytest.raises(DataError, match=r'train\.corpus\.csv'):
        read_sentences(write_tables(tmp_path, 'name|else'), 'phoenix2014')
