import itertools

import pytest

from mmsign.datasets import SignFolderDataset
from mmsign.datasets.signer_splits import clips_of_split, split_by_signer
from mmsign.errors import ConfigError, DataError
from mmsign.vocab import build_vocabulary

SPLITS = ('train', 'dev', 'test')
# Clip: signer, and the split that the annotations have it in.
CLIPS = dict(
    a1=('a', 'train'),
    a2=('a', 'test'),
    b1=('b', 'train'),
    b2=('b', 'dev'),
    c1=('c', 'test'),
    c2=('c', 'train'),
    n1=('', 'train'),
    n2=('', 'test'),
)


def rule(signer: str, listed: str, signers: dict) -> str | None:
    """Where a clip belongs, in the words of the documents."""
    for split, names in signers.items():
        if signer in names:
            return split
    if listed not in signers:
        return listed
    return None if 'train' in signers else 'train'


def subsets():
    """Every way to name some of the signers for some of the splits."""
    for homes in itertools.product((None, *SPLITS), repeat=3):
        named = {}
        for signer, split in zip('abc', homes):
            if split:
                named.setdefault(split, []).append(signer)
        yield named
        yield named | {split: [] for split in SPLITS if split not in named}


def test_every_clip_goes_where_the_rule_says(tmp_path):
    annotated = {split: [] for split in SPLITS}
    for clip, (signer, listed) in CLIPS.items():
        annotated[listed].append(dict(clip_id=clip, signer=signer))
    for signers in subsets():
        expected = {split: [] for split in (*SPLITS, None)}
        for clip, (signer, listed) in CLIPS.items():
            expected[rule(signer, listed, signers)].append(clip)
        for split in SPLITS:
            found = clips_of_split(annotated, signers, split, SPLITS)
            names = [clip['clip_id'] for clip in found]
            assert sorted(names) == expected[split], (signers, split)


def test_what_is_no_split_by_signer():
    with pytest.raises(ConfigError, match="'val' is none of train, dev, test"):
        split_by_signer(dict(val=['a']), SPLITS)
    with pytest.raises(ConfigError, match="'5' is named for dev and for test"):
        split_by_signer(dict(dev=['5'], test=[5]), SPLITS)
    clips = dict(train=[dict(signer='a'), dict(signer='')], test=[dict(signer='b')])
    with pytest.raises(DataError, match=r"no signer 'x'; it has a \(1 clip\), b"):
        clips_of_split(clips, dict(test='x'), 'dev', SPLITS)
    with pytest.raises(DataError, match='no names of signers'):
        clips_of_split(dict(train=[]), dict(test='x'), 'dev', SPLITS)


@pytest.fixture
def root(tmp_path):
    rows = ['id,video,glosses,signer,split']
    for clip, (signer, split) in CLIPS.items():
        rows.append(f'{clip},v/{clip},G-{clip},{signer},{split}')
    (tmp_path / 'manifest.csv').write_text('\n'.join(rows))
    return str(tmp_path)


def ids(dataset) -> list[str]:
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    return sorted(info['clip_id'] for info in infos)


def test_a_dataset_and_its_vocabulary(root, monkeypatch):
    signers = dict(test=['a'])
    said = []
    monkeypatch.setattr('mmsign.datasets.sign_dataset.warn', said.append)
    found = {split: SignFolderDataset(root, split, signers=signers) for split in SPLITS}
    assert {split: ids(dataset) for split, dataset in found.items()} == dict(
        train=['b1', 'c1', 'c2', 'n1', 'n2'], dev=['b2'], test=['a1', 'a2']
    )
    assert [text.partition(' say no signer')[0] for text in said] == [
        '2 of 5 clips of the train split'
    ]
    assert found['test'].metainfo['training_signers'] == ['b', 'c']
    assert 'training_signers' not in found['train'].metainfo
    # Of a network that was trained with the annotations' splits.
    other = SignFolderDataset(root, 'test', signers=signers, trained_with={})
    assert other.metainfo['training_signers'] == ['a', 'b', 'c']
    assert other.metainfo['signers'] == signers
    cfg = dict(dataset='SignFolderDataset', data_root=root, signers=signers)
    glosses = build_vocabulary(cfg).glosses
    assert glosses == ('G-b1', 'G-c1', 'G-c2', 'G-n1', 'G-n2')
    before = SignFolderDataset(root, 'dev')
    assert ids(before) == ['b2'] and before.metainfo['training_signers'] == list('abc')


def test_frames_lie_where_the_annotations_say(phoenix_tree):
    from mmsign.datasets import Phoenix2014TDataset, open_frames

    dataset = Phoenix2014TDataset(
        str(phoenix_tree), 'test', signers=dict(test=['Sb']), test_mode=True
    )
    assert ids(dataset) == ['dev-b', 'test-b', 'train-b']
    for index in range(3):
        assert len(open_frames(dataset.get_data_info(index)['frames'])) == 12


def test_who_is_trained_on_is_not_known_without_that_split(phoenix_tree, tmp_path):
    from mmsign.datasets import Phoenix2014TDataset

    tables = tmp_path / 'annotations' / 'manual'
    tables.mkdir(parents=True)
    name = 'annotations/manual/PHOENIX-2014-T.test.corpus.csv'
    (tmp_path / name).write_bytes((phoenix_tree / name).read_bytes())
    assert (
        Phoenix2014TDataset(str(tmp_path), 'test').metainfo['training_signers'] is None
    )
