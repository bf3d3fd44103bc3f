import copy
import pickle

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS
from torch.testing import assert_close
from torch.utils.data import DataLoader, Dataset

from mmsign.datasets import Phoenix2014TDataset
from mmsign.datasets.io.feature_file import ClipFeatures, write_features
from mmsign.datasets.transforms import LoadFeatures
from mmsign.datasets.transforms.pack import PackClip, clip_collate
from mmsign.errors import DataError


def test_tensors_are_views_and_nothing_of_the_reference_is_lost():
    frames = np.zeros((4, 8, 8, 3), np.uint8)
    results = dict(
        clip_id='c',
        signer='S',
        glosses=['A', 'UNKNOWN'],
        text=None,
        num_frames=9,
        frame_indices=np.array([0, 2, 4, 8]),
        frame_size=(20, 24),
        crop_box=(0.0, 0.0, 20.0, 24.0),
        frames=frames,
        keypoints=np.zeros((4, 79, 3), np.float32),
    )
    packed = PackClip()(results)
    video = packed['inputs']['video']
    assert video.shape == (3, 4, 8, 8)
    assert video.data_ptr() == frames.ctypes.data
    sample = packed['data_samples']
    assert sample.length == 4 and sample.glosses == ['A', 'UNKNOWN']
    blind = PackClip()(results | dict(frames='folder'))
    assert set(blind['inputs']) == {'keypoints'}


class Clips(Dataset):
    """Clips of various lengths; the frames are views with the channels last."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> dict:
        torch.manual_seed(index)
        steps = 3 + index
        video = torch.randint(256, (steps, 5, 4, 3), dtype=torch.uint8)
        points = torch.randn(steps, 79, 3)
        inputs = dict(
            video=video.permute(3, 0, 1, 2), points=points[::2], count=index, one=points
        )
        if index % 2:
            inputs['one'] = points.double()
        return dict(inputs=inputs, data_samples=f'clip {index}')


@pytest.mark.parametrize('workers', [0, 2])
def test_a_batch_comes_as_it_was_collated(workers):
    clips = Clips()
    loader = DataLoader(
        clips, 3, num_workers=workers, collate_fn=FUNCTIONS.get('mmsign.clip_collate')
    )
    for start, batch in zip((0, 3), loader, strict=True):
        expected = pseudo_collate([clips[start + i] for i in range(3)])
        assert batch['data_samples'] == expected['data_samples']
        assert batch['inputs'].keys() == expected['inputs'].keys()
        assert batch['inputs']['count'] == expected['inputs']['count']
        for name in ('video', 'points', 'one'):
            pairs = zip(batch['inputs'][name], expected['inputs'][name], strict=True)
            for found, wanted in pairs:
                assert_close(found, wanted, rtol=0, atol=0)
        for found, wanted in zip(batch['inputs']['video'], expected['inputs']['video']):
            assert found.stride() == wanted.stride()


def test_tensors_of_a_batch_are_handed_on_in_one_memory():
    inputs = clip_collate([Clips()[index] for index in range(3)])['inputs']
    together = copy.copy(inputs['video'])
    assert len({tensor.untyped_storage().data_ptr() for tensor in together}) == 1
    assert together[0].is_shared()


def test_no_frame_is_opened(phoenix_tree):
    dataset = Phoenix2014TDataset(
        str(phoenix_tree),
        'train',
        frames='nowhere',
        pipeline=[dict(type='PackSentence')],
    )
    packed = dataset[0]
    assert packed['inputs'] == {}
    sample = packed['data_samples']
    assert (sample.clip_id, sample.signer) == ('train-a', 'Sa')
    assert (sample.glosses, sample.text) == (['REGEN', 'NORD'], 'ein "satz" .')


def test_features_take_the_place_of_frames(tmp_path):
    path = str(tmp_path / 'f.safetensors')
    streams = dict(video=np.ones((2, 5)), keypoint=np.zeros((2, 3)))
    write_features(path, dict(a=ClipFeatures(streams, np.arange(2, 10), 13)), 'net')
    # Also in a worker process.
    load = pickle.loads(pickle.dumps(LoadFeatures(path)))
    info = dict(clip_id='a', signer='S', glosses=['X'], text='x .', num_frames=None)
    packed = load(info)
    sample = packed['data_samples']
    assert {k: tuple(v.shape) for k, v in packed['inputs'].items()} == dict(
        video_features=(2, 5), keypoint_features=(2, 3)
    )
    assert (sample.length, sample.num_frames, sample.text) == (8, 13, 'x .')
    assert sample.frame_indices.tolist() == list(range(2, 10))
    with pytest.raises(DataError, match='clip b'):
        load(dict(info, clip_id='b'))


def test_random_views_are_taken_as_often_as_the_clip_itself(tmp_path):
    path = str(tmp_path / 'f.safetensors')
    clips = {
        name: ClipFeatures(dict(video=np.full((2, 1), value)), np.arange(8), 8)
        for name, value in (('a', 0.0), ('a#1', 1.0), ('a#2', 2.0))
    }
    write_features(path, clips, 'net')
    info = dict(clip_id='a', signer='S', glosses=['X'], text='x .')
    np.random.seed(0)

    def drawn(load: LoadFeatures) -> list[int]:
        packed = [load(dict(info)) for _ in range(60)]
        assert {one['data_samples'].clip_id for one in packed} == {'a'}
        return [int(one['inputs']['video_features'][0, 0]) for one in packed]

    found = drawn(LoadFeatures(path, views=2))
    assert [found.count(view) >= 10 for view in range(3)] == [True] * 3
    assert set(drawn(LoadFeatures(path))) == {0}
    with pytest.raises(DataError, match='clip a#'):
        for _ in range(60):
            LoadFeatures(path, views=3)(dict(info))
    with pytest.raises(ValueError, match='LoadFeatures'):
        LoadFeatures(path, views=-1)
