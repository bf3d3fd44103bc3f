"""Refuse to train a network whose output cannot spell its corpus."""

from __future__ import annotations

from collections.abc import Iterator

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmsign.datasets.samplers import known_length
from mmsign.errors import ConfigError
from mmsign.registry import HOOKS
from mmsign.vocab import steps_needed


@HOOKS.register_module()
class OutputLengthHook(Hook):
    """Compare the network's output steps with the glosses of the training split.

    CTC needs a step per gloss and one more between two equal ones. A few clips
    without as many are normal and are counted by ``TrainingReportHook``; if many
    have too few, the network's time stride does not suit the corpus, and training
    would teach it next to nothing. Lengths come from the annotations or the
    keypoint file; where neither says, nothing is checked.

    Args:
        max_share: Share of the clips that may be too short at their own length.
    """

    priority = 'VERY_HIGH'

    def __init__(self, max_share: float = 0.05) -> None:
        if not 0 <= max_share <= 1:
            raise ConfigError(f'max_share must be between 0 and 1, not {max_share}')
        self.max_share = max_share

    def before_train(self, runner) -> None:
        """Raise ValueError with the numbers if too many clips are too short."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        stride = getattr(model, 'output_stride', None)
        if stride is None:
            return
        clips = list(_lengths(runner.train_dataloader.dataset))
        short = [
            (clip_id, frames, needed)
            for clip_id, frames, needed in clips
            if frames // stride < needed
        ]
        if not clips or len(short) <= self.max_share * len(clips):
            return
        clip_id, frames, needed = short[0]
        suits = max(
            (s for s in range(1, stride) if _fits(clips, s, self.max_share)),
            default=None,
        )
        advice = (
            'no stride suits this corpus'
            if suits is None
            else f'name an output_stride of at most {suits} in every stream'
        )
        raise ConfigError(
            f'the network puts out one step per {stride} frames, too few for '
            f'{len(short)} of {len(clips)} training clips: {clip_id}, say, has '
            f'{frames} frames, so {frames // stride} steps, and its glosses need '
            f'{needed}; {advice}'
        )


def _fits(clips: list[tuple[str, int, int]], stride: int, max_share: float) -> bool:
    short = sum(frames // stride < needed for _, frames, needed in clips)
    return short <= max_share * len(clips)


def _lengths(dataset) -> Iterator[tuple[str, int, int]]:
    """Name, frames that the network sees, and steps needed, of each clip."""
    if not hasattr(dataset, 'get_data_info'):
        return
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    longest = min(
        (t.max_length for t in transforms if hasattr(t, 'max_length')), default=None
    )
    for index in range(len(dataset)):
        clip = dataset.get_data_info(index)
        if 'glosses' not in clip:
            return
        frames = known_length(clip)
        if frames is not None:
            frames = frames if longest is None else min(frames, longest)
            yield clip['clip_id'], frames, steps_needed(clip['glosses'])
