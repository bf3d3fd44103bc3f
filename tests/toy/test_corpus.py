import hashlib
from pathlib import Path

import numpy as np
import pytest

from mmsign.datasets.io.frame_sources import open_frames
from mmsign.datasets.io.keypoint_file import KeypointFile
from mmsign.datasets.phoenix import Phoenix2014Dataset, Phoenix2014TDataset
from mmsign.toy.corpus import SIGNERS, invent_sentences, read_sentences, write_corpus
from mmsign.toy.layouts import SPLITS

SIZES = dict(train=2, dev=1, test=1)


def digest(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob('*'))
        if path.is_file()
    }


def write(root: Path, layout: str = 'phoenix2014T', **kwargs) -> Path:
    corpus = invent_sentences(SIZES, citations=0, seed=3)
    arguments = dict(size=(42, 52), seed=3, workers=1) | kwargs
    write_corpus(root, corpus, layout, **arguments)
    return root


@pytest.fixture(scope='module')
def corpus(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp('toy'))


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(
    corpus, tmp_path
):
    again = write(tmp_path / 'again', workers=2)
    assert digest(again) == digest(corpus)
    other = tmp_path / 'other'
    write_corpus(other, invent_sentences(SIZES, 0, 4), 'phoenix2014T', (42, 52), 4)
    assert digest(other) != digest(corpus)


@pytest.mark.parametrize(
    ('layout', 'dataset'),
    [('phoenix2014T', Phoenix2014TDataset), ('phoenix2014', Phoenix2014Dataset)],
)
def test_the_corpus_readers_read_it(layout, dataset, tmp_path):
    root = write(tmp_path, layout)
    keypoints = KeypointFile(str(root / 'keypoints.safetensors'))
    for split in SPLITS:
        clips = dataset(data_root=str(root), split=split)
        assert len(clips) == SIZES[split]
        for index in range(len(clips)):
            info = clips.get_data_info(index)
            frames = open_frames(info['frames'])
            assert frames.frame_size == (42, 52)
            points = keypoints.read(info['clip_id'])
            assert points.shape == (len(frames), 133, 3)


def test_signers_of_the_test_split_are_unseen_and_citations_complete():
    corpus = invent_sentences(dict(train=40, dev=10, test=10), citations=2, seed=0)
    signers = {split: {row.signer for row in rows} for split, rows in corpus.items()}
    assert {split: len(names) for split, names in signers.items()} == SIGNERS
    assert not signers['train'] & (signers['dev'] | signers['test'])
    seen = {gloss for row in corpus['train'] for gloss in row.glosses}
    assert all(set(row.glosses) <= seen for rows in corpus.values() for row in rows)
    single = [row for row in corpus['train'] if len(row.glosses) == 1]
    assert len(single) == 2 * len(seen) * SIGNERS['train']


def test_lost_keypoints_have_low_scores(corpus):
    keypoints = KeypointFile(str(corpus / 'keypoints.safetensors'))
    scores = np.concatenate([keypoints.read(i)[..., 2] for i in keypoints.clip_ids])
    assert ((scores > 0.65) | (scores < 0.35)).all()


def test_sentences_of_a_real_corpus(tmp_path):
    tables = tmp_path / 'tables'
    tables.mkdir()
    for split in SPLITS:
        rows = [f'{split}{i}|{split}{i}/1/*.png|S1|EINS ZWEI-{i}' for i in range(3)]
        text = '\n'.join(['id|folder|signer|annotation', *rows])
        (tables / f'{split}.corpus.csv').write_text(text)
    found = read_sentences(tables, 'phoenix2014')
    assert found['dev'][2].glosses == ('EINS', 'ZWEI-2')
    root = tmp_path / 'out'
    write_corpus(root, found, 'phoenix2014', (42, 52), 0, limit=1, workers=1)
    assert len(Phoenix2014Dataset(data_root=str(root), split='train')) == 3
    assert KeypointFile(str(root / 'keypoints.safetensors')).clip_ids == [
        'dev0',
        'test0',
        'train0',
    ]


def test_tables_that_are_not_there_or_of_another_corpus(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'train\.corpus\.csv'):
        read_sentences(tmp_path, 'phoenix2014')
    for split in SPLITS:
        (tmp_path / f'{split}.corpus.csv').write_text('name|else\n')
    with pytest.raises(ValueError, match='expected the header id'):
        read_sentences(tmp_path, 'phoenix2014')
