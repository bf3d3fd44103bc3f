"""Pictures of recognized clips during validation and test."""

import os
import re

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmsign.datasets.io.frame_times import checked_fps
from mmsign.errors import ConfigError
from mmsign.models import SignRecognizer
from mmsign.registry import HOOKS
from mmsign.structures import SignDataSample
from mmsign.visualization.clip_view import view_clip
from mmsign.visualization.timeline import ClipPosteriors
from mmsign.visualization.visualizer import SignVisualizer

from .runs import model_of


@HOOKS.register_module()
class SignVisualizationHook(Hook):
    """Has ``SignVisualizer`` draw some clips of each validation and test.

    Off, it does nothing. In several processes, clips are counted in the main one.

    Args:
        enable: Whether to draw.
        interval: Every how many clips one is drawn, from the first on.
        num_clips: How many are drawn at most in a validation or test; None for all.
        fps: Frames per second of the videos; None takes the config's ``corpus.fps``,
            and without that counts frames.
        out_dir: Folder for the pictures, ``{clip}.png``, or ``{clip}_{step}.png`` of
            a validation; None hands them to the visualizer's backends, as
            ``test_{clip}`` and ``val_{clip}``.
        show: Open a window for each.
        wait_time: Seconds until it closes; 0 waits for a key.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        enable: bool = False,
        interval: int = 1,
        num_clips: int | None = None,
        fps: float | None = None,
        out_dir: str | None = None,
        show: bool = False,
        wait_time: float = 0,
    ) -> None:
        if interval < 1 or (num_clips is not None and num_clips < 1):
            raise ConfigError(
                f'interval={interval}, num_clips={num_clips}: both must be 1 or more'
            )
        self.enable, self.interval, self.num_clips = enable, interval, num_clips
        if fps is not None:
            fps = checked_fps(fps, 'SignVisualizationHook: fps')
        self.fps, self.out_dir = fps, out_dir
        self.show, self.wait_time = show, wait_time
        self._seen = self._drawn = 0

    # MMEngine calls these two of every mode.

    def _before_epoch(self, runner, mode: str = 'train') -> None:
        """Check that there is something that can draw, and something to draw.

        Raises:
            ConfigError: If the visualizer or the model is of another kind.
        """
        self._seen = self._drawn = 0
        if not self.enable or mode == 'train':
            return
        if not isinstance(runner.visualizer, SignVisualizer):
            raise ConfigError(
                'SignVisualizationHook draws with a SignVisualizer, not with a '
                f'{type(runner.visualizer).__name__}: set visualizer=dict('
                "type='SignVisualizer', vis_backends=[dict(type='LocalVisBackend')])"
            )
        _recognizer(runner)

    def _after_iter(
        self, runner, batch_idx, data_batch=None, outputs=None, mode: str = 'train'
    ) -> None:
        """Draw the clips whose turn it is."""
        if not self.enable or mode == 'train' or not is_main_process():
            return
        for index, sample in enumerate(outputs):
            if self._seen % self.interval == 0 and self._drawn != self.num_clips:
                inputs = data_batch['inputs'].items()
                clip = {key: clips[index] for key, clips in inputs}
                self._draw(runner, clip, sample, mode)
                self._drawn += 1
            self._seen += 1

    def _draw(self, runner, inputs: dict, sample: SignDataSample, mode: str) -> None:
        recognizer, name = _recognizer(runner), file_name(sample.clip_id)
        step, suffix, out_file = 0, '', None
        if mode == 'val':
            # As LoggerHook counts, so that pictures and scores have the same steps.
            step = runner.epoch if runner.log_processor.by_epoch else runner.iter
            suffix = f'_{step}'
        if self.out_dir is not None:
            out_file = os.path.join(self.out_dir, f'{name}{suffix}.png')
        runner.visualizer.add_datasample(
            f'{mode}_{name}',
            view_clip(inputs, sample, recognizer.data_preprocessor),
            sample,
            ClipPosteriors.of(recognizer.vocab, sample),
            fps=self.fps or (runner.cfg.get('corpus') or {}).get('fps'),
            show=self.show,
            wait_time=self.wait_time,
            out_file=out_file,
            step=step,
        )


def file_name(clip_id: str) -> str:
    """A clip's name as the name of a file, in any alphabet.

    What file systems do not take becomes ``%`` and its code, so that different clips
    keep different names.
    """
    return re.sub(r'[^\w .+=@-]', lambda found: f'%{ord(found[0]):02X}', clip_id)


def _recognizer(runner) -> SignRecognizer:
    """The recognizer in a runner's model, which may be a translator.

    Raises:
        ConfigError: If there is none.
    """
    model = model_of(runner)
    for module in model.modules():
        if isinstance(module, SignRecognizer):
            return module
    raise ConfigError(
        f'SignVisualizationHook needs a recognizer, {type(model).__name__} has none: '
        'set enable=False'
    )
