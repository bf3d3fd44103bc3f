import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmsign.datasets import Phoenix2014TDataset
from mmsign.datasets.io.archives import Archive
from mmsign.datasets.io.keypoint_file import KeypointFile, write_keypoints
from mmsign.errors import DataError

PIPELINE = [
    dict(type='LoadClip'),
    dict(type='SampleClip'),
    dict(type='DecodeClip'),
    dict(type='ClipRandomCrop'),
    dict(type='ClipResize', size=16),
    dict(type='ClipColorJitter', prob=1.0),
    dict(type='PackClip'),
]


def dataset(root, **kwargs) -> Phoenix2014TDataset:
    arguments = dict(split='train', keypoint_file='keypoints.safetensors')
    return Phoenix2014TDataset(
        data_root=str(root), pipeline=PIPELINE, **(arguments | kwargs)
    )


def test_a_clip_through_the_whole_pipeline(phoenix_tree):
    np.random.seed(0)
    clip = dataset(phoenix_tree)[1]
    sample, inputs = clip['data_samples'], clip['inputs']
    assert inputs['video'].shape == (3, sample.length, 16, 16)
    assert inputs['video'].dtype == torch.uint8
    assert inputs['keypoints'].shape == (sample.length, 79, 3)
    assert sample.length == len(sample.frame_indices) and sample.length % 4 == 0
    assert sample.num_frames == 12 and sample.frame_size == (20, 24)


class OwnCorpus(Phoenix2014TDataset):
    """Clips that say themselves where and how fast they are."""

    OWN = dict(frames='x.mp4', fps=50.0, keypoint_file='x.safetensors')

    @classmethod
    def read_annotations(cls, data_root, split):
        clips = super().read_annotations(data_root, split)
        return [clip | cls.OWN for clip in clips]


@pytest.mark.parametrize('frames', [None, 'moved'])
def test_what_a_clip_says_itself_counts(phoenix_tree, frames):
    clip = OwnCorpus(data_root=str(phoenix_tree), split='train', fps=25, frames=frames)
    record = clip.get_data_info(0)
    places = {key: record[key] for key in OwnCorpus.OWN}
    if frames:  # but for the frames, which the option moves
        assert frames in places['frames']
        places['frames'] = 'x.mp4'
    assert places == OwnCorpus.OWN


def test_the_same_seed_gives_the_same_clip(phoenix_tree):
    clips = dataset(phoenix_tree)
    drawn = []
    for _ in range(2):
        np.random.seed(5)
        drawn.append(clips[1])
    torch.testing.assert_close(drawn[0]['inputs'], drawn[1]['inputs'])
    assert drawn[0]['data_samples'].crop_box == drawn[1]['data_samples'].crop_box


def test_worker_processes_load(phoenix_tree):
    loader = DataLoader(
        dataset(phoenix_tree), batch_size=1, num_workers=2, collate_fn=lambda x: x[0]
    )
    assert [clip['data_samples'].clip_id for clip in loader] == ['train-a', 'train-b']


def test_an_archive_is_indexed_before_workers_start(
    phoenix_tree, tmp_path, monkeypatch
):
    path = tmp_path / 'frames.zip'
    folder = phoenix_tree / 'features/fullFrame-210x260px'
    with zipfile.ZipFile(path, 'w') as archive:
        for image in sorted(folder.rglob('*.png')):
            archive.write(image, image.relative_to(folder))
    clips = dataset(phoenix_tree, frames=str(path))

    def index_again(self):
        raise AssertionError('indexed again')

    monkeypatch.setattr(Archive, '_index', index_again)
    loader = DataLoader(
        clips,
        batch_size=1,
        num_workers=2,
        collate_fn=lambda x: x[0],
        multiprocessing_context='fork',
    )
    assert [clip['data_samples'].num_frames for clip in loader] == [7, 12]


def test_workers_get_no_copy_of_the_keypoints(phoenix_tree, tmp_path):
    """What a started (not forked) worker is sent does not grow with the file."""
    clips = dataset(phoenix_tree)
    clips[0]  # opens the keypoint file
    before = len(pickle.dumps(clips))
    many = {f'clip{index}': np.zeros((50, 133, 3)) for index in range(50)}
    names = ('train-a', 'train-b')
    file = KeypointFile(clips.keypoint_file)
    path = tmp_path / 'k.safetensors'
    write_keypoints(path, many | {name: file.read(name) for name in names})
    larger = dataset(phoenix_tree, keypoint_file=str(path))
    larger[0]
    assert path.stat().st_size > 1_500_000
    assert len(pickle.dumps(larger)) < before + 500
    copy = pickle.loads(pickle.dumps(larger))
    assert copy[1]['data_samples'].num_frames == 12


def test_unknown_split(phoenix_tree):
    with pytest.raises(ValueError, match='train, dev, test'):
        dataset(phoenix_tree, split='val')


@pytest.mark.parametrize('name', ['../x', 'train-a'])
def test_names_that_cannot_be_used(phoenix_tree, tmp_path, name):
    table = 'annotations/manual/PHOENIX-2014-T.train.corpus.csv'
    copy = tmp_path / table
    copy.parent.mkdir(parents=True)
    row = f'{name}|x|-1|-1|S|REGEN|x .\n'
    copy.write_text(Path(phoenix_tree, table).read_text() + row)
    with pytest.raises(DataError, match=f'line 4.*{name}'):
        dataset(tmp_path)
