from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from mmsign.keypoints import PARTS
from mmsign.models import SignDataPreprocessor
from mmsign.visualization import ClipView, view_clip, view_frames, view_sheet
from mmsign.visualization.clip_view import (
    blend_heatmaps,
    crop_coordinates,
    draw_skeleton,
    write_image,
    write_video,
)
from mmsign.visualization.fonts import caption

FRAMES = np.full((5, 20, 20, 3), 90, np.uint8)
# In the middle of the box, with one point elsewhere.
KEYPOINTS = np.tile(np.float32([15, 20, 1]), (5, 79, 1))
BOX = (0.0, 0.0, 30.0, 40.0)
NAME = ['name', 'REGEN NORD']


def cold(keypoints):
    return np.full((79, len(keypoints), 10, 10), -1, np.float32)


def hot(keypoints):
    maps = cold(keypoints)
    maps[:, :, 5, 5] = 1
    return maps


FULL = ClipView(BOX, FRAMES, KEYPOINTS, hot)


def test_skeleton_and_heatmaps_lie_where_the_points_are():
    for panel in next(FULL.panels([2], side=40)):
        assert panel.shape == (40, 40, 3)
        changed = np.argwhere((panel != 90).any(axis=2))
        np.testing.assert_allclose(changed.mean(axis=0), [20, 20], atol=3)


@pytest.mark.parametrize(
    ('view', 'panels', 'background'),
    [
        (ClipView(BOX, frames=FRAMES), 1, 90),
        (ClipView(BOX, keypoints=KEYPOINTS, draw_heatmaps=cold), 2, 0),
        (ClipView(BOX, FRAMES, KEYPOINTS), 1, 90),
    ],
)
def test_a_stream_alone_can_be_seen(view, panels, background):
    shown = next(view.panels([0], side=40))
    assert len(shown) == panels and len(view) == 5
    assert (shown[-1][0, 0] == background).all()
    assert len(ClipView(BOX)) == 0


def test_a_packed_clip_is_seen_as_the_preprocessor_prepares_it():
    inputs = dict(
        video=torch.full((3, 20, 16, 16), 7, dtype=torch.uint8),
        keypoints=torch.rand(20, 79, 3) * 30,
    )
    sample = SimpleNamespace(crop_box=BOX, clip_id='a')
    preprocessor = SignDataPreprocessor(16, 8, sigma=3.0, min_padding=5)
    view = view_clip(inputs, sample, preprocessor)
    assert view.frames.shape == (20, 16, 16, 3)
    data = dict(inputs={k: [x] for k, x in inputs.items()}, data_samples=[sample])
    expected = preprocessor(data)['inputs']['heatmaps'][0, :, 3:6]
    np.testing.assert_allclose(view.draw_heatmaps(view.keypoints[3:6]), expected)
    # More frames than are drawn at once.
    assert [len(images) for images in view.panels(range(20), 24)] == [2] * 20
    points = SignDataPreprocessor(16, keypoint_input='points')
    assert view_clip(inputs, sample, points).draw_heatmaps is None
    assert view_clip(dict(video=inputs['video']), sample).keypoints is None
    # The picture's coordinates are those of the heatmaps.
    (x, y), map_ = crop_coordinates(view.keypoints[3, 7], BOX, 8), expected[7, 0]
    row, column = divmod(int(map_.argmax()), 8)
    assert abs(column - x) <= 0.5 and abs(row - y) <= 0.5


def test_skeleton_is_drawn_where_the_points_are():
    points = np.full((79, 2), 10.0)
    points[5] = (40.0, 30.0)
    image = np.zeros((64, 64, 3), np.uint8)
    drawn = draw_skeleton(image, points, np.ones(79))
    assert not image.any()
    assert drawn[30, 40].any() and drawn[10, 10].any() and not drawn[55, 55].any()
    faint = draw_skeleton(image, points, np.zeros(79))
    assert 0 < faint.max() < drawn.max()


def test_points_that_are_not_there_are_not_joined():
    image = np.full((64, 64, 3), 7, np.uint8)
    nothing = draw_skeleton(image, np.zeros((0, 2)), np.zeros(0))
    np.testing.assert_array_equal(nothing, image)
    # The hands alone, which come before the upper body.
    points = np.full((PARTS['hands'].stop, 2), 30.0)
    drawn = draw_skeleton(image, points, np.ones(len(points)))
    assert (drawn[30, 30] != 7).any() and (drawn[:20] == 7).all()


def test_heatmaps_colour_only_where_there_is_heat():
    image = np.full((32, 32, 3), 100, np.uint8)
    maps = np.full((3, 16, 16), -1.0, np.float32)
    np.testing.assert_array_equal(blend_heatmaps(image, maps), image)
    maps[1, 4, 4] = 1.0
    blended = blend_heatmaps(image, maps)
    assert (blended[8:10, 8:10] != 100).any() and (blended[20:] == 100).all()


@pytest.mark.parametrize('columns', [3, 8])
def test_a_sheet_has_captions_and_as_many_frames_as_there_are(columns):
    sheet = view_sheet(FULL, NAME, columns=columns, side=50)
    width = 50 * min(columns, 5)
    height = len(caption(NAME, width))
    assert sheet.shape == (height + 100, width, 3)
    assert view_sheet(FULL, (), columns=columns, side=50).shape == (100, width, 3)


def test_videos_have_even_sides(tmp_path):
    path = tmp_path / 'new' / 'a.mp4'
    write_video(path, view_frames(FULL, NAME, side=31), 25.0)
    assert [file.name for file in path.parent.iterdir()] == ['a.mp4']
    capture = cv2.VideoCapture(str(path))
    assert capture.read()[1].shape[1] == 62
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / 'new' / 'ä.png'
    write_image(path, FRAMES[0])
    np.testing.assert_array_equal(
        cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR), FRAMES[0]
    )
    with pytest.raises(OSError):
        write_image(path.parent, FRAMES[0])
    with pytest.raises(OSError):
        write_video(path.parent, FRAMES, 25.0)

    def broken():
        yield FRAMES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(tmp_path / 'b.mp4', broken(), 25.0)
    assert [file.name for file in tmp_path.iterdir()] == ['new']
