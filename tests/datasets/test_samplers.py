import numpy as np
import pytest

from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.datasets.samplers import (
    LengthBucketSampler,
    SentenceBucketSampler,
    known_length,
)
from mmsign.errors import DataError


class Clips:
    """Clips whose annotation says their length."""

    def __init__(self, lengths):
        self.lengths = lengths

    def __len__(self):
        return len(self.lengths)

    def get_data_info(self, index):
        return dict(clip_id=str(index), num_frames=self.lengths[index])


class Records(list):
    """Clips by their records."""

    get_data_info = list.__getitem__


LENGTHS = [3, 50, 4, 60, 5, 55, 2, 52]


def test_every_clip_once_an_epoch_and_in_another_order():
    sampler = LengthBucketSampler(Clips(LENGTHS), batch_size=2, seed=0)
    first = list(sampler)
    assert sorted(first) == list(range(8)) and len(sampler) == 8
    assert first == list(sampler)
    sampler.set_epoch(1)
    assert sorted(sampler) == list(range(8)) and list(sampler) != first


def test_batches_hold_clips_of_similar_length():
    sampler = LengthBucketSampler(Clips(LENGTHS), batch_size=2, pool=4, seed=0)
    order = list(sampler)
    for a, b in zip(order[::2], order[1::2], strict=True):
        assert abs(LENGTHS[a] - LENGTHS[b]) < 10


def test_processes_share_the_clips(monkeypatch):
    parts = []
    for rank in (0, 1):
        monkeypatch.setattr(
            'mmsign.datasets.samplers.get_dist_info', lambda rank=rank: (rank, 2)
        )
        parts.append(list(LengthBucketSampler(Clips(LENGTHS[:7]), 2, seed=0)))
    assert len(parts[0]) == len(parts[1]) == 4
    assert set(parts[0]) | set(parts[1]) == set(range(7))


def test_a_small_corpus_is_gone_through_until_there_are_enough():
    sampler = LengthBucketSampler(Clips(LENGTHS), batch_size=2, seed=0, at_least=19)
    order = list(sampler)
    assert len(order) == len(sampler) == 20
    rounds = order[:8], order[8:16]
    assert all(sorted(part) == list(range(8)) for part in rounds)
    assert rounds[0] != rounds[1] and len(set(order[16:])) == 4
    # The first round is the epoch of one that is large enough.
    enough = LengthBucketSampler(Clips(LENGTHS), batch_size=2, seed=0, at_least=8)
    assert list(enough) == rounds[0]


def test_lengths_come_from_the_keypoint_file_if_nobody_says(tmp_path):
    import numpy as np

    path = str(tmp_path / 'k.safetensors')
    write_keypoints(path, {'a': np.zeros((6, 133, 3)), 'b': np.zeros((9, 133, 3))})
    assert known_length(dict(clip_id='b', num_frames=None, keypoint_file=path)) == 9


@pytest.mark.parametrize('clips', [{'b': 3}, {'a': 0}])
def test_a_clip_without_keypoints_is_named(tmp_path, clips):
    path = tmp_path / 'k.safetensors'
    write_keypoints(path, {name: np.zeros((n, 133, 3)) for name, n in clips.items()})
    info = dict(clip_id='a', frames='', keypoint_file=str(path), num_frames=None)
    with pytest.raises(DataError, match=f'clip a: .*{path}'):
        LengthBucketSampler(Records([info]), batch_size=1)


def test_impossible_sizes():
    for wrong in (dict(batch_size=0), dict(batch_size=2, at_least=0)):
        with pytest.raises(ValueError, match='not all positive'):
            LengthBucketSampler(Clips(LENGTHS), **wrong)


def test_sentences_of_similar_length_share_a_batch():
    class Sentences(Clips):
        def get_data_info(self, index):
            return dict(text='x' * self.lengths[index] or None)

    order = list(SentenceBucketSampler(Sentences(LENGTHS), 2, pool=4, seed=0))
    assert sorted(order) == list(range(8))
    for a, b in zip(order[::2], order[1::2], strict=True):
        assert abs(LENGTHS[a] - LENGTHS[b]) < 10
