"""MMEngine's visualizer for recognized clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from mmengine.dist import master_only
from mmengine.logging import print_log
from mmengine.visualization import Visualizer

from mmsign.errors import ConfigError
from mmsign.registry import VISUALIZERS
from mmsign.structures import SignDataSample

from .clip_view import ClipView
from .fonts import can_draw, font_families
from .posterior_figure import FRAMES_PER_ROW, MOST_ROWS, render
from .posterior_scene import Scene, picture_times, time_rows
from .posteriors import ClipPosteriors

# Where the frame rate is unknown, rows are as long as at this one.
_USUAL_FPS = 25.0
_SIDE = 160


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
        FileNotFoundError, ValueError: If ``font`` is no font file.
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
            raise ConfigError(
                f'seconds_per_row must be positive, not {seconds_per_row}'
            )
        self.seconds_per_row = seconds_per_row
        self.font = font
        if font is not None:
            font_families(font)
        self._warned = False

    @master_only
    def add_datasample(
        self,
        name: str,
        inputs: Mapping[str, np.ndarray],
        data_sample: SignDataSample,
        posteriors: ClipPosteriors,
        draw_heatmaps: Callable[[np.ndarray], np.ndarray] | None = None,
        fps: float | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
    ) -> None:
        """Draw a clip and hand the picture on.

        Args:
            name: Of the picture in the backends.
            inputs: What the pipeline packed: ``video`` (3, T, S, S) uint8 BGR and
                ``keypoints`` (T, K, 3) in pixels of the source frame, either or none.
            data_sample: With predictions.
            posteriors: Of the outputs.
            draw_heatmaps: From (n, K, 3) keypoints of single frames to their heatmaps
                (K, n, s, s); None for no heatmaps.
            fps: Frames per second of the source; None shows frames instead of seconds.
            draw_gt: Show the reference, and the errors of the outputs.
            draw_pred: Show what was recognized.
            show: Open a window.
            wait_time: Seconds until it closes; 0 waits for a key.
            out_file: Write the picture there, as PNG, not to the backends.
            step: For the backends.

        Raises:
            OSError: If ``out_file`` cannot be written.
        """
        image = self.draw(
            *(inputs, data_sample, posteriors, draw_heatmaps, fps, draw_gt, draw_pred)
        )
        if show:
            self.show(image, win_name=name, wait_time=wait_time)
        if out_file is None:
            self.add_image(name, image, step)
            return
        target = Path(out_file)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not cv2.imwrite, which does not tell why it fails.
        _, encoded = cv2.imencode('.png', image[..., ::-1])
        target.write_bytes(encoded.tobytes())

    def draw(
        self,
        inputs: Mapping[str, np.ndarray],
        data_sample: SignDataSample,
        posteriors: ClipPosteriors,
        draw_heatmaps: Callable[[np.ndarray], np.ndarray] | None = None,
        fps: float | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
    ) -> np.ndarray:
        """The picture; arguments as in ``add_datasample``.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        longest = self.seconds_per_row * (fps or _USUAL_FPS)
        edges = posteriors.edges
        rows = time_rows(edges[0], edges[-1], longest)
        reference = list(data_sample.glosses) if draw_gt else None
        predictions = data_sample.predictions if draw_pred else {}
        families = font_families(self.font)
        shown = [*(reference or ()), *posteriors.vocab.glosses]
        self._warn_of_letters(shown, families)
        times = picture_times(rows[:MOST_ROWS], FRAMES_PER_ROW)
        scene = Scene(
            posteriors,
            rows,
            title=_title(data_sample, fps),
            remarks=_remarks(data_sample, draw_gt, draw_pred),
            reference=reference,
            predictions=predictions,
            pictures=_pictures(inputs, data_sample, draw_heatmaps, times),
            fps=fps,
            families=families,
        )
        return render(scene)

    def _warn_of_letters(self, glosses: list[str], families: tuple[str, ...]) -> None:
        if self._warned:
            return
        missing = next((g for g in glosses if not can_draw(g, families)), None)
        if missing is not None:
            self._warned = True
            print_log(
                f'no font of this machine can draw {missing!r}: pictures show class '
                'numbers (#57) for such glosses. Install a font that can, such as Noto '
                'Sans CJK, or name one: visualizer.font=FILE.ttf',
                logger='current',
                level=30,
            )


def _title(sample: SignDataSample, fps: float | None) -> str:
    length = f'{sample.num_frames} frames'
    if fps:
        length = f'{sample.num_frames / fps:.1f} s'
    return f'{sample.clip_id}   ·   {sample.signer}   ·   {length}'


def _remarks(sample: SignDataSample, draw_gt: bool, draw_pred: bool) -> list[str]:
    """The sentence, and its translations."""
    remarks = []
    if draw_gt and sample.text:
        remarks.append(f'sentence: {sample.text}')
    if draw_pred and 'translations' in sample:
        remarks += [f'{k}: {found.text}' for k, found in sample.translations.items()]
    return remarks


def _pictures(inputs, sample, draw_heatmaps, times: list[float]) -> list[tuple]:
    """(time, images RGB) of the frames nearest to the times."""
    source = np.asarray(sample.frame_indices)
    nearest = [int(np.abs(source - time + 0.5).argmin()) for time in times]
    frames = keypoints = heatmaps = None
    if 'video' in inputs:
        frames = np.ascontiguousarray(inputs['video'].transpose(1, 2, 3, 0)[nearest])
    if 'keypoints' in inputs:
        keypoints = inputs['keypoints'][nearest]
        if draw_heatmaps is not None:
            heatmaps = draw_heatmaps(keypoints)
    if frames is None and keypoints is None:
        return []  # cached features
    view = ClipView(sample.crop_box, frames, keypoints, heatmaps)
    return [
        (time, [panel[..., ::-1] for panel in view.panels(index, _SIDE)])
        for index, time in enumerate(times)
    ]
