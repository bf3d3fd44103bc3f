"""MMEngine's visualizer for recognized clips."""

from dataclasses import replace

import numpy as np
from mmengine.dist import master_only
from mmengine.visualization import Visualizer

from mmsign.errors import ConfigError
from mmsign.notices import warn
from mmsign.registry import VISUALIZERS
from mmsign.structures import SignDataSample, TimedGloss

from .clip_view import ClipView, write_image
from .fonts import can_draw, font_families
from .timeline import ClipPosteriors, Timeline
from .timeline_figure import draw_timeline


@VISUALIZERS.register_module()
class SignVisualizer(Visualizer):
    """Draws what the network saw of a clip and what each of its outputs said.

    A picture has, over time: frames with the skeleton and with the heatmaps, the
    reference, and for every output the recognized glosses over the probabilities of
    the glosses. The reference has no times of its own; it is shown where the
    network's average finds it most probable (forced alignment). Pictures go to the
    backends of ``vis_backends``, or to a file.

    Args:
        name: Of the instance, as MMEngine asks.
        seconds_per_row: Longer clips are broken into rows.
        font: A font file for letters that matplotlib's own font has not, such as
            Chinese; None takes a font of the machine. Glosses that no font can draw
            appear as their class number, ``#57``, with one warning.
        **kwargs: See ``mmengine.visualization.Visualizer``: ``vis_backends``,
            ``save_dir``.

    Raises:
        ConfigError: If ``font`` is no font file.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        seconds_per_row: float = 8.0,
        font: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(name, **kwargs)
        if seconds_per_row <= 0:
            raise ConfigError(f'seconds_per_row must be above 0, not {seconds_per_row}')
        if font is not None:
            font_families(font)
        self.seconds_per_row, self.font = seconds_per_row, font
        self._warned = False

    @master_only
    def add_datasample(
        self,
        name: str,
        view: ClipView,
        data_sample: SignDataSample,
        posteriors: ClipPosteriors,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
        **options,
    ) -> None:
        """Draw a clip and hand the picture on.

        Args:
            name: Of the picture in the backends.
            view: What the pipeline packed, see ``view_clip``.
            data_sample: With predictions.
            posteriors: Of the outputs.
            show: Open a window.
            wait_time: Seconds until it closes; 0 waits for a key.
            out_file: Write the picture there, as PNG, not to the backends.
            step: For the backends.
            **options: ``fps``, ``draw_gt`` and ``draw_pred`` as in ``draw``.

        Raises:
            OSError: If ``out_file`` cannot be written.
        """
        image = self.draw(view, data_sample, posteriors, **options)
        if show:
            self.show(image, win_name=name, wait_time=wait_time)
        if out_file is None:
            self.add_image(name, image, step)
        else:
            write_image(out_file, image[..., ::-1])

    def draw(
        self,
        view: ClipView,
        data_sample: SignDataSample,
        posteriors: ClipPosteriors,
        fps: float | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
    ) -> np.ndarray:
        """The picture.

        Args:
            view, data_sample, posteriors: As in ``add_datasample``.
            fps: Frames per second of the source; None shows frames instead of seconds.
            draw_gt: Show the reference, and the errors of the outputs.
            draw_pred: Show what was recognized.

        Returns:
            (H, W, 3) uint8 RGB.
        """

        def timed(x: TimedGloss) -> TimedGloss:
            return replace(x, start=x.start / rate, duration=x.duration / rate)

        sample, count, rate = data_sample, data_sample.num_frames, fps or 1.0
        length = f'{count / fps:.1f} s' if fps else f'{count} frames'
        remarks = [f'sentence: {sample.text}'] * bool(draw_gt and sample.text)
        glosses = {}
        if draw_pred:
            found = sample.get('translations', {}).items()
            remarks += [f'{name}: {translation.text}' for name, translation in found]
            for output, prediction in sample.predictions.items():
                glosses[output] = list(map(timed, prediction.timed))
        edges, families = posteriors.edges / rate, font_families(self.font)
        known = [*(sample.glosses if draw_gt else ()), *posteriors.vocab.glosses]
        missing = [gloss for gloss in known if not can_draw(gloss, families)]
        if missing and not self._warned:
            self._warned = True
            warn(
                f'no font can draw {missing[0]!r}: pictures show class numbers (#57) '
                'for such glosses. Install a font that can, such as Noto Sans CJK, or '
                'name one: visualizer.font=FILE.ttf'
            )
        timeline = Timeline(
            f'{sample.clip_id}   ·   {sample.signer}   ·   {length}',
            (edges[0], edges[-1]),
            glosses,
            unit='seconds' if fps else 'frames',
            # Where the frame rate is unknown, rows are as long as at the usual one.
            longest=self.seconds_per_row * (1.0 if fps else 25.0),
            posteriors=replace(posteriors, edges=edges),
            reference=list(sample.glosses) if draw_gt else None,
            remarks=remarks,
            view=view,
            times=(np.asarray(sample.frame_indices) + 0.5) / rate,
            families=families,
        )
        return np.ascontiguousarray(draw_timeline(timeline)[..., ::-1])
