import gzip
import pickle
import shutil

import numpy as np
import pytest

from mmsign.datasets import (
    Phoenix2014TDataset,
    SignFolderDataset,
    write_keypoints,
)
from mmsign.datasets.corpus_check import check_corpus, describe


def snapshot(root) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in sorted(root.rglob('*'))}


def test_a_complete_corpus(phoenix_tree):
    before = snapshot(phoenix_tree)
    report = check_corpus(
        Phoenix2014TDataset, str(phoenix_tree), keypoint_file='keypoints.safetensors'
    )
    assert report.complete and all(report.files.values()) and len(report.files) == 3
    train = report.splits['train']
    assert (train.clips, train.signers) == (2, {'Sa', 'Sb'})
    assert train.counts == {'REGEN': 1, 'NORD': 1, 'SONNE': 1}
    assert train.lengths == [7, 12] and train.gloss_lengths == [2, 1]
    # 7 frames give one step, too few for two glosses.
    assert train.unspellable == ['train-a']
    assert report.vocabulary.glosses == ('NORD', 'REGEN', 'SONNE')
    text = describe(report)
    assert 'vocabulary: 3 glosses, 4 classes with the blank' in text
    assert text.endswith('\ncomplete') and 'MISSING' not in text
    assert snapshot(phoenix_tree) == before


@pytest.fixture
def tree(phoenix_tree, tmp_path):
    root = tmp_path / 'corpus'
    shutil.copytree(phoenix_tree, root)
    return root


def test_everything_that_may_be_missing(tree):
    frames = tree / 'features/fullFrame-210x260px'
    shutil.rmtree(frames / 'dev' / 'dev-a')
    tables = tree / 'annotations/manual'
    (tables / 'PHOENIX-2014-T.test.corpus.csv').unlink()
    table = tables / 'PHOENIX-2014-T.dev.corpus.csv'
    table.write_text(table.read_text().replace('SONNE', 'HAGEL HAGEL'))
    poses = {'dev-b': np.ones((5, 133, 3)), 'train-a': np.ones((7, 133, 3))}
    write_keypoints(tree / 'k.safetensors', poses)
    report = check_corpus(Phoenix2014TDataset, str(tree), keypoint_file='k.safetensors')
    dev, train = report.splits['dev'], report.splits['train']
    assert not report.complete and list(report.splits) == ['train', 'dev']
    assert len(report.errors) == 1 and 'test.corpus.csv' in report.errors[0]
    assert [clip.split(':')[0] for clip in dev.no_frames] == ['dev-a']
    assert dev.unseen == {'HAGEL': 2}
    assert dev.other_keypoints == ['dev-b: 12 frames, 5 of keypoints']
    assert dev.no_keypoints == ['dev-a'] and train.no_keypoints == ['train-b']
    text = describe(report)
    for line in (
        'MISSING  ',
        'MISSING frames: 1 clips, the first: dev-a',
        'unseen in training: 1 glosses, 2 times (HAGEL)',
        'OTHER number of keypoint frames: 1 clips',
        'MISSING keypoints: 1 clips, the first: train-b',
        'NOT complete',
    ):
        assert line in text


def test_frame_counts_against_annotations(tree):
    for split in ('train', 'dev', 'test'):
        clips = [
            dict(name=f'{split}/{split}-{clip}', gloss='A', num_frames=count)
            for clip, count in (('a', 8), ('b', 11))
        ]
        (tree / f'p.{split}').write_bytes(gzip.compress(pickle.dumps(clips)))
    report = check_corpus(Phoenix2014TDataset, str(tree), ann_file='p.{split}')
    assert report.splits['dev'].fewer_frames == ['dev-a: 7 frames, 8 announced']
    assert report.splits['dev'].more_frames == ['dev-b: 12 frames, 11 announced']
    assert not report.complete
    blind = check_corpus(
        Phoenix2014TDataset, str(tree), ann_file='p.{split}', look_at_frames=False
    )
    assert blind.complete and blind.splits['dev'].lengths == [8, 11]


def test_a_clip_of_two_splits(tree):
    tables = tree / 'annotations/manual'
    train = (tables / 'PHOENIX-2014-T.train.corpus.csv').read_text().splitlines()
    with open(tables / 'PHOENIX-2014-T.test.corpus.csv', 'a') as table:
        table.write(f'{train[-1]}\n')
    report = check_corpus(Phoenix2014TDataset, str(tree), look_at_frames=False)
    assert report.splits['test'].shared == ['train-b, which train has too']
    assert not report.complete
    assert 'IN ANOTHER SPLIT too: 1 clips, the first: train-b' in describe(report)


def test_what_is_wrong_with_all_splits_is_said_once(tmp_path):
    (tmp_path / 'manifest.csv').write_text('id;video\n')
    report = check_corpus(SignFolderDataset, str(tmp_path))
    assert len(report.errors) == 1
    assert describe(report).count('ERROR: ') == 1


def test_a_keypoint_file_that_is_none(tree):
    (tree / 'k').write_bytes(b'nonsense')
    for name, message in (
        ('k', 'not a safetensors file'),
        ('gone', 'no keypoint file'),
    ):
        report = check_corpus(Phoenix2014TDataset, str(tree), keypoint_file=name)
        assert message in report.errors[0] and not report.complete
