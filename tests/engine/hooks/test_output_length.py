from types import SimpleNamespace

import numpy as np
import pytest

from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.datasets.transforms import HoldLast, LoadClip, SampleClip
from mmsign.engine.hooks import OutputLengthHook
from mmsign.errors import ConfigError


class Clips(list):
    """A dataset as far as the hook looks at it."""

    pipeline = SimpleNamespace(transforms=[SampleClip(max_length=40)])

    def get_data_info(self, index):
        return self[index]


def clip(frames, glosses, name='clip', **extra):
    return dict(clip_id=name, num_frames=frames, glosses=list(glosses), **extra)


def run(clips, stride, steps=(), edge=0, **settings):
    dataset = Clips(clips)
    if steps:
        dataset.pipeline = SimpleNamespace(transforms=steps)
    runner = SimpleNamespace(
        model=SimpleNamespace(
            output_stride=stride, heads=dict(video=SimpleNamespace(edge=edge))
        ),
        train_dataloader=SimpleNamespace(dataset=dataset),
    )
    OutputLengthHook(**settings).before_train(runner)


def test_numbers_and_what_to_do():
    # 'B B' needs a step in between: 4 steps, so a stride of 5 at most.
    clips = [clip(20, 'ABB', 'short'), clip(32, 'AB')]
    run(clips, 5)
    with pytest.raises(
        ConfigError, match='8 frames.* 1 of 2 .*short.* 20 .* 2 steps.* 4; .*most 5 '
    ):
        run(clips, 8)
    with pytest.raises(ConfigError, match='layers of its heads that stride 5'):
        run(clips, 8, edge=6)


def test_some_clips_may_be_too_short():
    clips = [clip(4, 'AB'), *[clip(40, 'AB')] * 19]
    run(clips, 4)
    with pytest.raises(ConfigError, match='1 of 20 '):
        run(clips, 4, max_share=0.01)


def test_frames_behind_the_longest_sample_do_not_count():
    with pytest.raises(ConfigError, match='40 frames.* 10 steps'):
        run([clip(400, 'ABCDEFGHIJK')], 4)


def test_held_frames_count():
    clips = [clip(40, 'ABCDEFGHIJ')]
    run(clips, 4)
    with pytest.raises(ConfigError, match='40 frames'):
        run(clips, 5, [LoadClip(), SampleClip(max_length=40)])
    held = [LoadClip(), SampleClip(max_length=40), HoldLast(frames=12)]
    run(clips, 5, held)
    with pytest.raises(ConfigError, match='52 frames'):
        run(clips, 6, held)


def test_lengths_from_the_keypoint_file(tmp_path):
    path = tmp_path / 'keypoints.safetensors'
    write_keypoints(path, {'known': np.ones((6, 133, 3), np.float32)})
    unknown = [
        clip(None, 'AB', 'other', keypoint_file=str(path)),
        clip(None, 'AB', keypoint_file=str(tmp_path / 'absent')),
        clip(None, 'AB', keypoint_file=None),
    ]
    run(unknown, 4)
    known = clip(None, 'AB', 'known', keypoint_file=str(path))
    with pytest.raises(ConfigError, match='1 of 1 .*known'):
        run([*unknown, known], 4)


def test_a_corpus_that_no_stride_suits():
    with pytest.raises(ConfigError, match='no stride'):
        run([clip(2, 'ABC')], 4)


def test_other_models_and_settings():
    OutputLengthHook().before_train(SimpleNamespace(model=object()))
    with pytest.raises(ConfigError, match='max_share'):
        OutputLengthHook(max_share=2)
