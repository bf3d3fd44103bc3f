"""A recognized clip as a picture or a video.

Images are uint8 BGR.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mmsign.errors import ClipError
from mmsign.visualization import clip_view, timeline_figure
from mmsign.visualization.fonts import font_families, subtitle
from mmsign.visualization.timeline import FRAMES_PER_ROW, ClipPosteriors, Timeline

from .clips import Clip
from .inferencer import ClipJob
from .network import Network
from .pipeline import Pipeline
from .records import ClipResult

_CAPTION = 0.16  # of the video's height, under the picture
_SMALLEST_WIDTH = 320


def write_picture(
    path: str | Path, network: Network, job: ClipJob, result: ClipResult
) -> None:
    """What the network saw of the clip, and over time what each output says.

    Of a clip that was read in pieces, these, and frames of the whole.

    Raises:
        ClipError: If nothing was read: nobody is in it.
    """
    if job.prepared is None and not job.is_long:
        raise ClipError(f'{result.clip} cannot be drawn: {result.notices[-1]}')
    model, clip, remarks = network.model, job.clip, []
    timeline = Timeline(
        f'{Path(result.clip).name}   ·   {result.duration:.1f} s',
        (0.0, result.duration),
        {name: output.glosses for name, output in result.outputs.items()},
        pieces=job.pieces,
        families=font_families(),
    )
    prepared = job.prepared
    if prepared is None:
        remarks += result.notices
        _, end = timeline.rows[: timeline_figure.MOST_ROWS][-1]
        clip, keypoints = _spread(job, end, network.pipeline)
        prepared = network.pipeline.prepare(clip, keypoints)
    inputs, sample = prepared['inputs'], prepared['data_samples']
    shown = clip.frame_times(sample.frame_indices)
    remarks += [f'{name}: {text}' for name, text in result.translations.items()]
    posteriors = None
    if job.prepared is not None:
        posteriors = ClipPosteriors.of(model.vocab, sample)
    timeline = replace(
        timeline,
        posteriors=posteriors,
        remarks=remarks,
        view=clip_view.view_clip(inputs, sample, model.data_preprocessor),
        times=np.mean(shown, axis=0),
    )
    clip_view.write_image(path, timeline_figure.draw_timeline(timeline))


def _spread(
    job: ClipJob, end: float, pipeline: Pipeline
) -> tuple[Clip, np.ndarray | None]:
    """A clip of frames here and there up to a time, and their keypoints: no more than
    are shown, and than the network takes."""
    count = max(1, int((job.clip.times < end).sum()))
    most = timeline_figure.MOST_ROWS * FRAMES_PER_ROW
    most = min(count, most, pipeline.max_length)
    taken = np.linspace(0, count - 1, most).round().astype(int)
    clip = replace(job.clip, times=job.clip.times[taken], chosen=job.clip.chosen[taken])
    return clip, job.keypoints[taken] if pipeline.needs_keypoints else None


def write_annotated_video(
    path: str | Path, network: Network, job: ClipJob, result: ClipResult
) -> None:
    """The clip with its skeleton, the gloss being signed and those before.

    Raises:
        ConfigError, OSError: If the video cannot be written.
    """
    clip_view.write_video(path, _annotated(job, result), 1 / job.clip.frame_seconds)


def _annotated(job: ClipJob, result: ClipResult) -> Iterator[np.ndarray]:
    clip = job.clip
    width, height = clip.source.source_size
    scale = max(1.0, _SMALLEST_WIDTH / width)
    shown = [round(side * scale) // 2 * 2 for side in (width, height)]
    bar = int(shown[1] * _CAPTION) // 2 * 2
    for number, frame in enumerate(clip.source.stream(clip.chosen)):
        image = cv2.resize(frame, shown)
        if job.keypoints is not None:
            pose = job.keypoints[number]
            points = (pose[:, :2] + 0.5) * np.divide(shown, (width, height)) - 0.5
            image = clip_view.draw_skeleton(image, points, pose[:, 2])
        time = clip.times[number]
        words = [(g.symbol, time < g.end) for g in result.glosses if g.start <= time]
        yield np.vstack([image, subtitle(words, bar, shown[0])])
