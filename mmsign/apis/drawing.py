"""A recognized clip as a picture or a video.

Images are uint8 BGR.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from mmengine.dataset import pseudo_collate

from mmsign.errors import ClipError
from mmsign.visualization import clip_sheet, draw_skeleton, save_timeline
from mmsign.visualization.words import draw_word, word_mask

from .inferencer import ClipJob
from .networks import Network
from .records import ClipResult

# Share of the video's height under the picture that the captions take.
_CAPTION = 0.16
_SMALLEST_SIDE = 320


def write_picture(
    path: str | Path, network: Network, job: ClipJob, result: ClipResult
) -> None:
    """What the network saw of the clip over what each output read.

    Raises:
        ClipError: If the clip was not read at once: nobody in it, or too long.
    """
    if job.prepared is None:
        raise ClipError(
            f'{result.clip}: no picture can be drawn of it; {result.notices[-1]}'
        )
    prepared, sample = job.prepared, job.prepared.sample
    data = dict(inputs=prepared.inputs, data_samples=sample)
    seen = network.model.data_preprocessor(pseudo_collate([data]))['inputs']
    times = prepared.frame_times
    if 'video' in prepared.inputs:
        frames = prepared.inputs['video'].permute(1, 2, 3, 0).contiguous().numpy()
    else:
        side = max(seen['heatmaps'].shape[-2:])
        frames = np.zeros((len(times), side, side, 3), np.uint8)
    if 'heatmaps' in seen:
        heatmaps = seen['heatmaps'][0].float().cpu().numpy()
        keypoints = prepared.inputs['keypoints'].numpy()
    else:
        heatmaps = np.full((1, len(times), 8, 8), -1, np.float32)
        keypoints = np.zeros((len(times), 0, 3))
    sheet = clip_sheet(frames, heatmaps, keypoints, sample.crop_box, columns=10)
    rate = 1 / prepared.frame_seconds
    readings = {
        name: (
            [gloss.gloss for gloss in output.glosses],
            [(gloss.start * rate, gloss.end * rate) for gloss in output.glosses],
        )
        for name, output in result.outputs.items()
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_timeline(
        path,
        sheet,
        None,
        readings,
        max(1, round(result.duration * rate)),
        Path(result.clip).name,
    )


def write_annotated_video(
    path: str | Path, network: Network, job: ClipJob, result: ClipResult
) -> None:
    """The clip with its skeleton, the gloss being signed and those before.

    Raises:
        ClipError: If the video cannot be written.
    """
    clip = job.clip
    width, height = clip.source.frame_size
    scale = max(1.0, _SMALLEST_SIDE / width)
    shown = (round(width * scale) // 2 * 2, round(height * scale) // 2 * 2)
    bar = int(shown[1] * _CAPTION) // 2 * 2
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(
        str(path),
        cv2.VideoWriter_fourcc(*'mp4v'),
        1 / clip.frame_seconds,
        (shown[0], shown[1] + bar),
    )
    if not writer.isOpened():
        raise ClipError(f'{path}: OpenCV cannot write a video there')
    indices = clip.indices
    if indices is None:
        indices = np.arange(len(clip.times))
    for number, frame in enumerate(clip.source.stream(indices)):
        image = cv2.resize(frame, shown, interpolation=cv2.INTER_LINEAR)
        if job.keypoints is not None:
            pose = job.keypoints[number]
            points = (pose[:, :2] + 0.5) * np.divide(shown, (width, height)) - 0.5
            image = draw_skeleton(image, points, pose[:, 2])
        caption = np.zeros((bar, shown[0], 3), np.uint8)
        _write_glosses(caption, result, float(clip.times[number]))
        writer.write(np.vstack([image, caption]))
    writer.release()


def _write_glosses(caption: np.ndarray, result: ClipResult, seconds: float) -> None:
    """Glosses up to now, the present one bright; the newest at the right."""
    begun = [gloss for gloss in result.glosses if gloss.start <= seconds]
    size = max(8, caption.shape[0] // 2)
    baseline = int(caption.shape[0] * 0.65)
    right = caption.shape[1] - size // 2
    for gloss in reversed(begun):
        right -= word_mask(gloss.gloss, size)[0].shape[1]
        if right < 0:
            return
        colour = (255, 255, 255) if seconds < gloss.end else (150, 150, 150)
        draw_word(caption, gloss.gloss, (right, baseline), size, colour)
        right -= size // 2
