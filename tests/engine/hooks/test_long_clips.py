"""mmsign.engine.hooks.long_clips: no frame is left out without a word."""

import logging
from types import SimpleNamespace

import pytest

from mmsign.datasets.transforms import SampleClip
from mmsign.engine.hooks import LongClipsHook
from mmsign.structures import SignDataSample


def run(mode: str, lengths: dict[str, int], rounds: int = 2, **dataset) -> None:
    pipeline = SimpleNamespace(transforms=[SampleClip(max_length=400)])
    loader = SimpleNamespace(dataset=SimpleNamespace(pipeline=pipeline, **dataset))
    runner = SimpleNamespace(
        logger=logging.getLogger('long'), **{f'{mode}_dataloader': loader}
    )
    hook = LongClipsHook(names_shown=2)
    for _ in range(rounds):
        for clip, count in lengths.items():
            sample = SignDataSample(metainfo=dict(clip_id=clip, num_frames=count))
            batch = dict(inputs=[], data_samples=[sample])
            getattr(hook, f'after_{mode}_iter')(runner, 0, batch, None)
        getattr(hook, f'after_{mode}_epoch')(runner)


@pytest.mark.parametrize('mode', ['train', 'val', 'test'])
def test_long_clips_are_named_once(mode, caplog):
    lengths = dict(a=400, b=634, c=401, d=7, e=2000)
    with caplog.at_level(logging.WARNING):
        run(mode, lengths)
    (record,) = caplog.records
    said = record.getMessage()
    assert '3 of 5 clips' in said and 'b (634 frames), c (401 frames), …' in said


def test_nothing_is_said_of_clips_that_fit(caplog):
    with caplog.at_level(logging.WARNING):
        run('test', dict(a=400))
        run('test', dict(a=800), step=2)
    assert not caplog.records
