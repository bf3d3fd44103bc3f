from __future__ import annotations

from mmsign.datasets import Phoenix2014TDataset


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
