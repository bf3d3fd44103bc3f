"""Refuse to train a network whose output cannot spell its corpus."""

from collections.abc import Iterator

from mmengine.hooks import Hook

from mmsign.datasets.samplers import known_length
from mmsign.datasets.transforms import HoldLast
from mmsign.errors import ConfigError
from mmsign.registry import HOOKS
from mmsign.vocab import steps_needed

from .runs import clips_of, model_of, settings_of, steps_of


@HOOKS.register_module()
class OutputLengthHook(Hook):
    """Compare the network's output steps with the glosses of the training split.

    CTC needs a step per gloss and one more between two equal ones. A few clips
    without as many are normal and are counted by ``TrainingReportHook``; if many
    have too few, the network's time stride does not suit the corpus, and training
    would teach it next to nothing. Lengths come from the annotations or the
    keypoint file, with what ``HoldLast`` adds; where neither says, nothing is checked.

    Args:
        max_share: Share of the clips that may be too short at their own length.
    """

    priority = 'VERY_HIGH'

    def __init__(self, max_share: float = 0.05) -> None:
        if not 0 <= max_share <= 1:
            raise ConfigError(f'max_share must be between 0 and 1, not {max_share}')
        self.max_share = max_share

    def before_train(self, runner) -> None:
        """Raise ConfigError with the numbers if too many clips are too short."""
        model = model_of(runner)
        stride = getattr(model, 'output_stride', None)
        if stride is None:
            return
        clips = list(_lengths(runner.train_dataloader.dataset))

        def too_short(stride: int) -> list[tuple[str, int, int]]:
            return [clip for clip in clips if clip[1] // stride < clip[2]]

        short, allowed = too_short(stride), self.max_share * len(clips)
        if not clips or len(short) <= allowed:
            return
        clip_id, frames, needed = short[0]
        suiting = [s for s in range(1, stride) if len(too_short(s)) <= allowed]
        advice = 'no stride suits this corpus'
        if suiting:
            advice = f'name an output_stride of at most {suiting[-1]} in every stream'
            if any(head.edge for head in getattr(model, 'heads', {}).values()):
                advice = f'name layers of its heads that stride {suiting[-1]} at most'
        raise ConfigError(
            f'the network puts out one step per {stride} frames, too few for '
            f'{len(short)} of {len(clips)} training clips: {clip_id}, say, has '
            f'{frames} frames, so {frames // stride} steps, and its glosses need '
            f'{needed}; {advice}'
        )


def _lengths(dataset) -> Iterator[tuple[str, int, int]]:
    """Name, frames that the network sees, and steps needed, of each clip."""
    limits = settings_of(dataset, 'max_length')
    held = sum(step.frames for step in steps_of(dataset) if isinstance(step, HoldLast))
    for clip in clips_of(dataset):
        frames = known_length(clip) if 'glosses' in clip else None
        if frames is not None:
            frames = min(frames, *limits) if limits else frames
            yield clip['clip_id'], frames + held, steps_needed(clip['glosses'])
