import gzip
import pickle
import shutil

import cv2
import numpy as np
import pytest
from tiny_frames import write_frames
from tiny_video import set_durations, write_video

from mmsign.datasets import Phoenix2014TDataset, SignFolderDataset, write_keypoints
from mmsign.datasets.corpus_check import check_corpus, describe
from mmsign.datasets.transforms import DecodeClip, LoadClip, SampleClip
from mmsign.errors import MMSignError

SPLITS = 'train', 'dev', 'test'
# Corpora are made, opened and decoded.
pytestmark = pytest.mark.slow


def test_a_complete_corpus(phoenix_tree):
    before = {str(p): p.stat().st_mtime_ns for p in sorted(phoenix_tree.rglob('*'))}
    report = check_corpus(
        Phoenix2014TDataset, str(phoenix_tree), 'keypoints.safetensors'
    )
    assert report.complete and all(report.files.values()) and len(report.files) == 3
    train = report.splits['train']
    assert (len(train.gloss_lengths), train.signers) == (2, {'Sa': 1, 'Sb': 1})
    assert train.counts == {'REGEN': 1, 'NORD': 1, 'SONNE': 1}
    assert train.lengths == [7, 12] and train.gloss_lengths == [2, 1]
    assert train.sizes == {(20, 24): 2} and not train.rates and not train.problems
    # 7 frames give one step, too few for two glosses.
    ((short,),) = train.remarks.values()
    assert short.startswith('train-a: 7 frames')
    assert report.vocabulary.glosses == ('NORD', 'REGEN', 'SONNE')
    text = describe(report)
    assert 'vocabulary: 3 glosses, 4 classes with the blank' in text
    assert text.endswith('\ncomplete') and 'MISSING' not in text
    after = {str(p): p.stat().st_mtime_ns for p in sorted(phoenix_tree.rglob('*'))}
    assert after == before


@pytest.fixture
def tree(phoenix_tree, tmp_path):
    root = tmp_path / 'corpus'
    shutil.copytree(phoenix_tree, root)
    return root


def clips(lines: list[str]) -> list[str]:
    return [line.split(':')[0] for line in lines]


def test_everything_that_may_be_missing(tree):
    frames = tree / 'features/fullFrame-210x260px'
    shutil.rmtree(frames / 'dev' / 'dev-a')
    tables = tree / 'annotations/manual'
    (tables / 'PHOENIX-2014-T.test.corpus.csv').unlink()
    table = tables / 'PHOENIX-2014-T.dev.corpus.csv'
    table.write_text(table.read_text().replace('SONNE', 'HAGEL HAGEL'))
    poses = {'dev-b': np.ones((5, 133, 3)), 'train-a': np.ones((7, 133, 3))}
    write_keypoints(tree / 'k.safetensors', poses)
    report = check_corpus(Phoenix2014TDataset, str(tree), 'k.safetensors')
    dev, train = report.splits['dev'], report.splits['train']
    assert not report.complete and list(report.splits) == ['train', 'dev']
    assert len(report.errors) == 1 and 'test.corpus.csv' in report.errors[0]
    assert dev.unseen == {'HAGEL': 2}
    assert clips(dev.problems['MISSING frames']) == ['dev-a']
    assert clips(dev.problems['KEYPOINTS that do not fit']) == ['dev-b']
    assert clips(dev.problems['MISSING keypoints']) == ['dev-a']
    assert clips(train.problems['MISSING keypoints']) == ['train-b']
    text = describe(report)
    for line in (
        'MISSING  ',
        'MISSING frames: 1 clips, the first: dev-a',
        'unseen in training: 1 glosses, 2 times (HAGEL)',
        'MISSING keypoints: 1 clips, the first: train-b',
        'NOT complete',
    ):
        assert line in text


def test_frame_counts_against_annotations(tree):
    for split in ('train', 'dev', 'test'):
        records = [
            dict(name=f'{split}/{split}-{clip}', gloss='A', num_frames=count)
            for clip, count in (('a', 8), ('b', 11))
        ]
        (tree / f'p.{split}').write_bytes(gzip.compress(pickle.dumps(records)))
    report = check_corpus(Phoenix2014TDataset, str(tree), ann_file='p.{split}')
    dev = report.splits['dev']
    (few,) = dev.problems['FEWER frames than announced']
    (many,) = dev.remarks['more frames than announced']
    assert (few, many) == (
        'dev-a: 7 frames, 8 announced',
        'dev-b: 12 frames, 11 announced',
    )
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
    assert report.splits['test'].problems == {
        'IN ANOTHER SPLIT too': ['train-b: train']
    }


def test_what_is_wrong_with_all_splits_is_said_once(tmp_path):
    (tmp_path / 'manifest.csv').write_text('id;video\n')
    report = check_corpus(SignFolderDataset, str(tmp_path))
    assert len(report.errors) == 1
    assert describe(report).count('ERROR: ') == 1


def test_a_keypoint_file_that_is_none(tree):
    (tree / 'k').write_bytes(b'nonsense')
    for name in ('k', 'gone'):
        report = check_corpus(Phoenix2014TDataset, str(tree), name)
        assert name in report.errors[0] and not report.complete


class Corpus:
    """A sound corpus of loose clips, to be spoilt by a test."""

    def __init__(self, root):
        self.root = root
        self.glosses = dict(a='A', b='B', c='A')
        self.videos = dict(a='a.mp4', b='b.mp4', c='c')
        self.poses = dict.fromkeys('abc', np.full((8, 133, 3), 10.0))
        self.frame_size = (64, 48)
        self.options = dict(fps=25.0)
        for clip in 'ab':
            write_video(root / f'{clip}.mp4', 8)
        write_frames(root / 'c', 8, size=(64, 48))

    def check(self, **options):
        rows = ['id,video,glosses,split']
        for clip, split in zip('abc', ('train', 'dev', 'test')):
            rows.append(f'{clip},{self.videos[clip]},{self.glosses[clip]},{split}')
        (self.root / 'manifest.csv').write_text('\n'.join(rows))
        path = self.root / 'k.safetensors'
        write_keypoints(path, self.poses, frame_size=self.frame_size)
        return check_corpus(
            SignFolderDataset, str(self.root), path.name, **self.options | options
        )

    def load(self):
        """Every clip as testing loads it."""
        steps = [LoadClip(), SampleClip(test=True), DecodeClip()]
        for split in ('train', 'dev', 'test'):
            dataset = SignFolderDataset(
                str(self.root), split, 'k.safetensors', pipeline=steps, **self.options
            )
            assert len([dataset[index] for index in range(len(dataset))])


@pytest.fixture
def corpus(tmp_path):
    return Corpus(tmp_path)


def no_frames(corpus):
    (corpus.root / 'empty.mp4').write_bytes((corpus.root / 'b.mp4').read_bytes()[:300])
    corpus.videos['b'] = 'empty.mp4'


def undecodable(corpus):
    path = corpus.root / 'b.mp4'
    data = bytearray(path.read_bytes())
    start = data.find(b'mdat') + 4
    end = data.find(b'moov')
    data[start : end - 4] = bytes(end - 4 - start)
    path.write_bytes(data)


def keypoints_of_no_frames(corpus):
    corpus.poses = corpus.poses | dict(b=np.zeros((0, 133, 3)))


def keypoints_of_other_frames(corpus):
    corpus.poses = corpus.poses | dict(b=np.zeros((7, 133, 3)))


def another_frame_size(corpus):
    corpus.frame_size = (192, 144)


def broken_frame(corpus):
    (corpus.root / 'c' / 'images0003.png').write_bytes(b'\x89PNG')


def frame_of_another_size(corpus):
    picture = np.zeros((9, 9, 3), np.uint8)
    cv2.imwrite(str(corpus.root / 'c' / 'images0003.png'), picture)


@pytest.mark.parametrize(
    ('spoil', 'clip'),
    [
        (no_frames, 'b'),
        (undecodable, 'b'),
        (keypoints_of_no_frames, 'b'),
        (keypoints_of_other_frames, 'b'),
        (another_frame_size, 'c'),
        (broken_frame, 'c'),
        (frame_of_another_size, 'c'),
    ],
)
def test_what_ends_testing_is_found_before(corpus, spoil, clip):
    assert corpus.check().complete
    corpus.load()
    spoil(corpus)
    report = corpus.check()
    with pytest.raises(MMSignError):
        corpus.load()
    split = report.splits[dict(b='dev', c='test')[clip]]
    assert [clip] in map(clips, split.problems.values())
    assert describe(report).endswith('NOT complete: see the lines in capitals')


def test_damaged_images_are_found_by_decoding_alone(corpus):
    broken_frame(corpus)
    assert corpus.check(decode=False).complete


def test_a_split_without_any_gloss(corpus):
    corpus.glosses['b'] = ''
    report = corpus.check()
    assert not report.complete and 'dev' in describe(report).split('NO GLOSS')[1]


def listed(root, *rows):
    """A report on clips 'signer glosses split'."""
    lines = ['id,video,glosses,signer,split']
    for number, row in enumerate(rows):
        signer, glosses, split = row.split('-')
        lines.append(f'c{number},v,{glosses},{signer},{split}')
    (root / 'manifest.csv').write_text('\n'.join(lines))

    def report(**options):
        return check_corpus(
            SignFolderDataset, str(root), look_at_frames=False, **options
        )

    return report


def test_a_corpus_without_a_development_split(tmp_path):
    report = listed(tmp_path, 'a-X X-train', 'b-X-test')()
    assert report.complete and list(report.splits) == ['train', 'test']
    assert [notice.partition(':')[0] for notice in report.notices] == [
        'no development split'
    ]
    assert 'notice: no development split' in describe(report)
    # To test, there must be something.
    assert not listed(tmp_path, 'a-X-train', 'b-X-dev')().complete


def test_what_the_splits_say_about_people(tmp_path):
    clips = 'a-X X-train', 'b-X-train', 'b-X-dev', 'c-X-test'
    report = listed(tmp_path, *clips)
    (notice,) = report().notices
    assert notice.startswith('dev: 1 of 1 signers are in the training split too (b)')
    assert report(signers=dict(dev=['b'])).notices == []
    (notice,) = report(signers=dict(dev=['b'], test=['a'])).notices
    assert notice.startswith('1 glosses occur once in training (X)')
    report = report(signers=dict(test=['gone']))
    assert not report.complete and 'gone' in report.errors[0]
    (unnamed,) = listed(tmp_path, 'a-X X-train', '-X-dev', 'b-X-test')().notices
    assert unnamed.startswith('1 of 3 clips say no signer')
    clips = 'a-X X-train', 'a-X-dev', 'a-X-test'
    (alone,) = listed(tmp_path, *clips)().notices
    assert alone.startswith('a is the only signer of the corpus')


def test_names_that_are_spelled_in_several_ways(tmp_path):
    # Spaces around a name are nobody's.
    clips = 'Ann-X X-train', 'Ann -Y Y-train', 'Ben-x-test', 'ann-Y\u200b-test'
    people, glosses = listed(tmp_path, *clips, 'Ben-X-dev')().notices[-2:]
    assert people.startswith("signers are spelled in several ways ('Ann' and 'ann')")
    assert "('X' and 'x', 'Y' and 'Y\\u200b')" in glosses


def test_a_length_of_0(tree):
    for split in ('train', 'dev', 'test'):
        records = [dict(name=f'{split}-a', gloss='A', num_frames=0)]
        (tree / f'p.{split}').write_bytes(pickle.dumps(records))
    report = check_corpus(Phoenix2014TDataset, str(tree), ann_file='p.{split}')
    assert not report.complete and 'LENGTH 0' in describe(report)


def test_keypoints_of_another_resolution_without_a_size(corpus):
    corpus.frame_size = None
    assert corpus.check().complete
    corpus.poses = corpus.poses | dict(b=np.full((8, 133, 3), 300.0))
    report = corpus.check()
    assert not report.complete and 'b: 100% of the confident' in describe(report)


def test_frame_rates_and_long_clips_are_listed(corpus):
    write_video(corpus.root / 'b.mp4', 8, fps=50.0)
    set_durations(corpus.root / 'a.mp4', [1, 1, 1, 4, 4, 1, 1, 1])
    report = corpus.check(max_length=3)
    assert report.complete and report.splits['dev'].rates == {'50': 1}
    assert report.splits['train'].rates == {'variable': 1}
    assert [split.lengths for split in report.splits.values()] == [[14], [4], [8]]
    assert describe(report).count('longer than the 3 frames that are taken: 1') == 3
    # Nobody says which rate is meant.
    corpus.options = {}
    report = corpus.check()
    assert not report.complete and '50 (1 clips)' in report.errors[0]


def test_keypoints_without_videos(tmp_path):
    head = 'id,glosses,split,fps\n'
    rows = [f'{split},SUN,{split},{fps}\n' for split, fps in zip(SPLITS, (25, 25, 50))]
    (tmp_path / 'manifest.csv').write_text(head + ''.join(rows))
    points = {split: np.ones((40, 79, 3)) for split in SPLITS}
    path, alone = tmp_path / 'k.safetensors', 'without a video, keypoints alone'

    def check(name: str | None = 'k.safetensors', **options):
        return check_corpus(SignFolderDataset, str(tmp_path), name, **options)

    write_keypoints(path, points, 'mmsign_79', (64, 48))
    report = check(fps=25, step=2)
    assert report.complete
    assert [split.lengths for split in report.splits.values()] == [[20], [20], [10]]
    assert clips(report.splits['dev'].remarks[alone]) == ['dev']
    # Two rates, and none that they are brought to.
    assert [error[:19] for error in check().errors] == ['several frame rates']
    write_keypoints(path, points, 'mmsign_79')  # of frames of unknown size
    for report in (check(fps=25), check(None, fps=25)):
        assert clips(report.splits['train'].problems['MISSING frames']) == ['train']
    far = {split: np.full((40, 79, 3), 99.0) for split in SPLITS}
    write_keypoints(path, far, 'mmsign_79', (64, 48))
    assert check(fps=25).splits['test'].problems.keys() == {
        'KEYPOINTS of another frame'
    }
    shares = {clip: np.random.rand(40, 79, 3) for clip in points}
    write_keypoints(path, shares, 'mmsign_79', (64, 48))
    ((told,),) = check().splits['train'].problems.values()
    assert 'they seem to be shares of it' in told
    nothing = {clip: np.zeros((40, 79, 3)) for clip in points}
    write_keypoints(path, nothing, 'mmsign_79', (64, 48))
    assert 'without any keypoint that was found' in check().splits['train'].remarks
