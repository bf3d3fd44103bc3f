"""A recognized clip as a picture or a video.

Images are uint8 BGR.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mmsign.errors import ClipError
from mmsign.visualization import clip_view
from mmsign.visualization.fonts import font_families, subtitle
from mmsign.visualization.timeline import ClipPosteriors, Timeline
from mmsign.visualization.timeline_figure import draw_timeline

from .inferencer import ClipJob
from .network import Network
from .records import ClipResult

_CAPTION = 0.16  # of the video's height, under the picture
_SMALLEST_WIDTH = 320


def write_picture(
    path: str | Path, network: Network, job: ClipJob, result: ClipResult
) -> None:
    """What the network saw of the clip, and over time what each output says.

    Raises:
        ClipError: If the clip was not read at once: nobody in it, or too long.
    """
    if job.prepared is None:
        raise ClipError(f'{result.clip} cannot be drawn: {result.notices[-1]}')
    inputs, sample = job.prepared['inputs'], job.prepared['data_samples']
    model, shown = network.model, job.clip.frame_times(sample.frame_indices)
    timeline = Timeline(
        f'{Path(result.clip).name}   ·   {result.duration:.1f} s',
        (0.0, result.duration),
        {name: output.glosses for name, output in result.outputs.items()},
        posteriors=ClipPosteriors.of(model.vocab, sample),
        remarks=[f'{name}: {text}' for name, text in result.translations.items()],
        view=clip_view.view_clip(inputs, sample, model.data_preprocessor),
        times=np.mean(shown, axis=0),
        families=font_families(),
    )
    clip_view.write_image(path, draw_timeline(timeline))


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
