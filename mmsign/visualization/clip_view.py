"""A clip as the network gets it: frames, skeleton, heatmaps; as a picture or a video.

Symbols: T frames, K keypoints, n chosen frames, s side of a heatmap, S side of a shown
frame in pixels, (x0, y0, bw, bh) crop box in pixels of the source frame. Images are
uint8 BGR.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from mmsign.errors import ConfigError
from mmsign.files import opencv_name, replacing, replacing_path
from mmsign.keypoints import PARTS, SKELETON
from mmsign.structures import SignDataSample

from .fonts import caption, draw_word

# Of the parts, distinct in hue and in lightness; and of each keypoint.
_BGR = np.float32([(60, 200, 255), (80, 230, 80), (200, 80, 255), (255, 150, 50)])
_COLOURS = _BGR.repeat([part.stop - part.start for part in PARTS.values()], axis=0)
_DRAWN_AT_ONCE = 16  # heatmaps take memory


@dataclass(frozen=True)
class ClipView:
    """A clip after the pipeline, as it can be looked at.

    Attributes:
        crop_box: (x0, y0, bw, bh).
        frames: (T, S', S', 3), cropped and resized; None if the pipeline has none.
        keypoints: (T, K, 3) in pixels of the source frame and scores, or None.
        draw_heatmaps: From keypoints (n, K, 3) to their heatmaps (K, n, s, s) in
            whatever range; None for no heatmaps.
    """

    crop_box: Sequence[float]
    frames: np.ndarray | None = None
    keypoints: np.ndarray | None = None
    draw_heatmaps: Callable[[np.ndarray], np.ndarray] | None = None

    def __len__(self) -> int:
        """T; 0 if there is nothing to see."""
        shown = self.keypoints if self.frames is None else self.frames
        return 0 if shown is None else len(shown)

    def panels(self, indices: Sequence[int], side: int) -> Iterator[list[np.ndarray]]:
        """Frames: with the skeleton, and with the heatmaps if there are any.

        Without frames the background is black.

        Yields:
            One or two images (S, S, 3) with S = side for each index.
        """
        for first in range(0, len(indices), _DRAWN_AT_ONCE):
            part, heatmaps = indices[first : first + _DRAWN_AT_ONCE], None
            if self.keypoints is not None and self.draw_heatmaps is not None:
                heatmaps = self.draw_heatmaps(self.keypoints[part])
            for number, index in enumerate(part):
                frame = np.zeros((side, side, 3), np.uint8)
                if self.frames is not None:
                    frame = cv2.resize(self.frames[index], (side, side))
                images = [frame]
                if self.keypoints is not None:
                    pose = self.keypoints[index]
                    points = crop_coordinates(pose, self.crop_box, side)
                    images = [draw_skeleton(frame, points, pose[:, 2])]
                if heatmaps is not None:
                    images.append(blend_heatmaps(frame, heatmaps[:, number]))
                yield images


def view_clip(
    inputs: Mapping[str, torch.Tensor],
    sample: SignDataSample,
    preprocessor: torch.nn.Module | None = None,
) -> ClipView:
    """The view of a packed clip, as a dataset gives it.

    Args:
        inputs: ``video`` (3, T, S, S) uint8 and ``keypoints`` (T, K, 3), either or
            none.
        sample: Its data sample.
        preprocessor: A ``SignDataPreprocessor``, which draws the heatmaps; None for
            no heatmaps.
    """

    def draw(keypoints: np.ndarray) -> np.ndarray:
        batch = dict(keypoints=[torch.from_numpy(keypoints)])
        found = preprocessor(dict(inputs=batch, data_samples=[sample]))['inputs']
        return found['heatmaps'][0, :, : len(keypoints)].float().cpu().numpy()

    arrays = {name: tensor.numpy() for name, tensor in inputs.items()}
    frames, keypoints = arrays.get('video'), arrays.get('keypoints')
    if frames is not None:
        frames = np.ascontiguousarray(frames.transpose(1, 2, 3, 0))
    drawn = preprocessor is not None and preprocessor.keypoint_input == 'heatmaps'
    return ClipView(sample.crop_box, frames, keypoints, draw if drawn else None)


def crop_coordinates(
    keypoints: np.ndarray, crop_box: Sequence[float], size: int
) -> np.ndarray:
    """Map (…, K, ≥2) source pixels to pixels of the resized crop, (…, K, 2).

    The inverse of the half-pixel mapping that frames and heatmaps go through:
    (x + ½ − x0)·size/bw − ½.

    Examples:
        >>> wrist = np.array([[63.0, 95.0]])
        >>> crop_coordinates(wrist, (20, 30, 100, 150), size=50).round(2).tolist()
        [[21.25, 21.33]]
    """
    origin, extent = np.asarray(crop_box[:2]), np.asarray(crop_box[2:])
    return (keypoints[..., :2] + 0.5 - origin) * (size / extent) - 0.5


def draw_skeleton(
    image: np.ndarray, points: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Draw the keypoints and the edges between them.

    Args:
        image: (H, W, 3); not changed.
        points: (K, 2) in pixels of the image; the first K of the 79, or none.
        scores: (K,); points and edges fade with them.

    Returns:
        A new image.
    """
    canvas = image.copy()
    sharp = 4  # fractional bits of cv2's sub-pixel coordinates
    fixed = np.round(points * 2**sharp).astype(int).tolist()
    radius = int(max(1.0, min(image.shape[:2]) / 160) * 2**sharp)
    confidence = np.clip(scores, 0.15, 1)
    for a, b in SKELETON:
        if max(a, b) < len(points):
            colour = (_COLOURS[a] * min(confidence[a], confidence[b])).tolist()
            cv2.line(canvas, fixed[a], fixed[b], colour, 1, cv2.LINE_AA, sharp)
    colours = (_COLOURS[: len(points)] * confidence[:, None]).tolist()
    for centre, colour in zip(fixed, colours):
        cv2.circle(canvas, centre, radius, colour, -1, cv2.LINE_AA, sharp)
    return canvas


def blend_heatmaps(image: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Lay the sum of the heatmaps over an image.

    Args:
        image: (S, S, 3).
        heatmaps: (K, s, s) as the network sees them, in whatever range.

    Returns:
        (S, S, 3), the sum as colour, from its smallest value to its largest.
    """
    heat = heatmaps.sum(0).astype(np.float32)
    heat = (heat - heat.min()) / max(1.0, np.ptp(heat))
    heat = cv2.resize(heat, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    colour = cv2.applyColorMap(np.uint8(255 * heat), cv2.COLORMAP_INFERNO)
    weight = (0.75 * heat)[..., None]
    return np.uint8((1 - weight) * image + weight * colour)


def view_sheet(
    view: ClipView, lines: Sequence[str], columns: int = 8, side: int = 224
) -> np.ndarray:
    """Evenly spaced frames of a clip side by side under a caption.

    Args:
        view: The clip.
        lines: Of the caption; none for no caption.
        columns: Frames shown, at most.
        side: Of each in pixels.

    Returns:
        (H, W, 3)
    """
    shown = np.linspace(0, len(view) - 1, min(columns, len(view))).round().astype(int)
    stacks = []
    size = max(8, side // 16)
    for index, panels in zip(shown, view.panels(shown, side)):
        stacks.append(Image.fromarray(np.vstack(panels)))
        draw_word(stacks[-1], str(index), (size // 2, side - size // 2), size)
    sheet = np.hstack(stacks)
    return np.vstack([caption(lines, sheet.shape[1]), sheet]) if lines else sheet


def view_frames(
    view: ClipView, lines: Sequence[str], side: int = 320
) -> Iterator[np.ndarray]:
    """Every frame of a clip under a caption, to be written as a video.

    Yields:
        (H, W, 3) of one size.
    """
    strip = None
    for row in map(np.hstack, view.panels(range(len(view)), side)):
        if strip is None:
            strip = caption(lines, row.shape[1])
        yield np.vstack([strip, row])


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write (H, W, 3) as PNG; the file appears complete or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    # Not cv2.imwrite, which does not tell why it fails.
    _, encoded = cv2.imencode('.png', image)
    with replacing(path) as file:
        file.write(encoded.tobytes())


def write_video(path: str | Path, images: Iterable[np.ndarray], fps: float) -> None:
    """Write (H, W, 3) images of one size as MPEG-4; complete or not at all.

    Args:
        path: ``.mp4``; missing folders are made.
        images: At least one; a last odd row or column is cut off, as encoders ask.
        fps: Frames per second.

    Raises:
        ConfigError, OSError: If it cannot be written.
    """
    # OpenCV goes by the name's end.
    with replacing_path(path, '.mp4') as partial:
        writer, name = cv2.VideoWriter(), opencv_name(partial)
        code = cv2.VideoWriter.fourcc(*'mp4v')
        for image in images:
            height, width = (side // 2 * 2 for side in image.shape[:2])
            if not (writer.isOpened() or writer.open(name, code, fps, (width, height))):
                raise ConfigError(f'{path}: OpenCV cannot write a video there')
            writer.write(image[:height, :width])
        writer.release()
