"""Pictures of recognized clips during validation and test."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmsign.errors import ConfigError
from mmsign.models import SignRecognizer
from mmsign.models.layers.heatmaps import draw_heatmaps
from mmsign.registry import HOOKS
from mmsign.structures import SignDataSample
from mmsign.visualization.posteriors import ClipPosteriors
from mmsign.visualization.visualizer import SignVisualizer
from mmsign.vocab import GlossVocabulary

# Of what a pipeline packs; cached features cannot be looked at.
_SHOWN = 'video', 'keypoints'


@HOOKS.register_module()
class SignVisualizationHook(Hook):
    """Has ``SignVisualizer`` draw some clips of each validation and test.

    Off, it does nothing. On, the main process takes the posteriors of the clips that
    are drawn from the network, and drops them again; nothing else is kept or
    computed. In several processes, clips are counted in the main one.

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
                'interval and num_clips must be at least 1, '
                f'not {interval} and {num_clips}'
            )
        self.enable = enable
        self.interval = interval
        self.num_clips = num_clips
        self.fps = fps
        self.out_dir = out_dir
        self.show, self.wait_time = show, wait_time
        self._seen = self._drawn = 0
        self._wanted: list[int] = []

    # The same in validation and test --------------------------------------------

    def before_val_epoch(self, runner) -> None:
        """Check that there is something that can draw, and something to draw.

        Raises:
            ValueError: If the visualizer or the model is of another kind.
        """
        self._begin(runner)

    def before_test_epoch(self, runner) -> None:
        """See ``before_val_epoch``."""
        self._begin(runner)

    def before_val_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Have the posteriors of the clips that will be drawn kept."""
        self._before(runner, data_batch)

    def before_test_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """See ``before_val_iter``."""
        self._before(runner, data_batch)

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        """Draw them."""
        # As LoggerHook counts, so that pictures and scores have the same steps.
        by_epoch = runner.log_processor.by_epoch
        step = runner.epoch if by_epoch else runner.iter
        self._after(runner, data_batch, outputs, 'val', step)

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        """See ``after_val_iter``."""
        self._after(runner, data_batch, outputs, 'test', 0)

    # How -----------------------------------------------------------------------

    def _begin(self, runner) -> None:
        self._seen = self._drawn = 0
        if not self.enable:
            return
        if not isinstance(runner.visualizer, SignVisualizer):
            raise ConfigError(
                'SignVisualizationHook draws with a SignVisualizer, the config has a '
                f'{type(runner.visualizer).__name__}: set visualizer=dict('
                "type='SignVisualizer', vis_backends=[dict(type='LocalVisBackend')])"
            )
        _recognizer(runner.model)

    def _before(self, runner, data_batch) -> None:
        if not self.enable or not is_main_process():
            return
        count = len(data_batch['data_samples'])
        first = -self._seen % self.interval
        self._wanted = list(range(first, count, self.interval))
        if self.num_clips is not None:
            self._wanted = self._wanted[: self.num_clips - self._drawn]
        self._seen += count

    def _after(self, runner, data_batch, outputs, mode: str, step: int) -> None:
        if not self._wanted:
            return
        recognizer = _recognizer(runner.model)
        inputs = data_batch['inputs']
        fps = self.fps or (runner.cfg.get('corpus') or {}).get('fps')
        for index in self._wanted:
            sample = outputs[index]
            name = file_name(sample.clip_id)
            out_file = None
            if self.out_dir is not None:
                suffix = f'_{step}' if mode == 'val' else ''
                out_file = os.path.join(self.out_dir, f'{name}{suffix}.png')
            runner.visualizer.add_datasample(
                f'{mode}_{name}',
                {key: inputs[key][index].numpy() for key in _SHOWN if key in inputs},
                sample,
                _posteriors(recognizer.vocab, sample),
                _heatmaps_of(recognizer, sample),
                fps=fps,
                show=self.show,
                wait_time=self.wait_time,
                out_file=out_file,
                step=step,
            )
        self._drawn += len(self._wanted)
        self._wanted = []


def file_name(clip_id: str) -> str:
    """A clip's name as the name of a file, in any alphabet.

    What file systems do not take becomes ``%`` and its code, so that different clips
    keep different names.
    """
    return re.sub(r'[^\w .+=@-]', lambda found: f'%{ord(found[0]):02X}', clip_id)


def _recognizer(model) -> SignRecognizer:
    """The recognizer in a model, which may be a translator.

    Raises:
        ValueError: If there is none.
    """
    model = model.module if is_model_wrapper(model) else model
    for module in model.modules():
        if isinstance(module, SignRecognizer):
            return module
    raise ConfigError(
        f'SignVisualizationHook draws what a recognizer says, {type(model).__name__} '
        'has none: leave the hook out, or set its enable=False'
    )


def _posteriors(vocab: GlossVocabulary, sample: SignDataSample) -> ClipPosteriors:
    """What the recognizer said of a clip, step by step."""
    probabilities = {k: x.exp().numpy() for k, x in sample.log_probs.items()}
    return ClipPosteriors(vocab, probabilities, sample.clock.edges())


def _heatmaps_of(
    recognizer: SignRecognizer, sample: SignDataSample
) -> Callable[[np.ndarray], np.ndarray] | None:
    """Draws heatmaps (K, n, s, s) of keypoints (n, K, 3) as the network gets them."""
    settings = recognizer.data_preprocessor
    if settings.keypoint_input != 'heatmaps' or 'keypoint' not in recognizer.streams:
        return None

    def draw(keypoints: np.ndarray) -> np.ndarray:
        return draw_heatmaps(
            torch.from_numpy(keypoints)[None],
            torch.tensor([tuple(map(float, sample.crop_box))]),
            (settings.heatmap_size,) * 2,
            sigma=settings.sigma,
            score_threshold=settings.score_threshold,
            value_range=settings.heatmap_range,
        )[0].numpy()

    return draw
