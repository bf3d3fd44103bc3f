import numpy as np
import torch

from mmsign.keypoints import PARTS
from mmsign.models.layers.heatmaps import draw_heatmaps
from mmsign.visualization.overlay import (
    blend_heatmaps,
    clip_sheet,
    crop_coordinates,
    draw_skeleton,
)

BOX = (20.0, 30.0, 100.0, 150.0)


def test_coordinates_agree_with_the_heatmaps_peak():
    point = np.array([[63.0, 95.0, 1.0]])
    x, y = crop_coordinates(point, BOX, 50)[0]
    maps = draw_heatmaps(
        torch.tensor(point, dtype=torch.float32)[None, None],
        torch.tensor([BOX]),
        (50, 50),
        sigma=8.0,
    )
    row, column = divmod(int(maps.flatten().argmax()), 50)
    assert abs(column - x) <= 0.5 and abs(row - y) <= 0.5


def test_skeleton_is_drawn_where_the_points_are():
    points = np.full((79, 2), 10.0)
    points[5] = (40.0, 30.0)
    image = np.zeros((64, 64, 3), np.uint8)
    drawn = draw_skeleton(image, points)
    assert not image.any()
    assert drawn[30, 40].any() and drawn[10, 10].any() and not drawn[55, 55].any()
    faint = draw_skeleton(image, points, np.zeros(79))
    assert 0 < faint.max() < drawn.max()


def test_points_that_are_not_there_are_not_joined():
    image = np.full((64, 64, 3), 7, np.uint8)
    np.testing.assert_array_equal(draw_skeleton(image, np.zeros((0, 2))), image)
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


def test_sheet_shape_and_short_clips():
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    maps = np.full((79, 3, 8, 8), -1.0)
    keypoints = np.zeros((3, 79, 3))
    sheet = clip_sheet(frames, maps, keypoints, BOX, columns=8, side=20)
    assert sheet.shape == (40, 60, 3)
