import numpy as np
import pytest

from mmsign.visualization import ClipView, caption_strip, view_frames, view_sheet

FRAMES = np.full((5, 20, 20, 3), 90, np.uint8)
KEYPOINTS = np.tile(np.float32([15, 20, 1]), (5, 79, 1))
HEATMAPS = np.full((79, 5, 10, 10), -1, np.float32)
BOX = (0.0, 0.0, 30.0, 40.0)


def test_skeleton_and_heatmaps_lie_where_the_points_are():
    heatmaps = HEATMAPS.copy()
    heatmaps[:, :, 5, 5] = 1
    view = ClipView(BOX, FRAMES, KEYPOINTS, heatmaps)
    skeleton, heat = view.panels(2, side=40)
    assert skeleton.shape == heat.shape == (40, 40, 3)
    for panel in (skeleton, heat):
        changed = np.argwhere((panel != 90).any(axis=2))
        # The point is in the middle of the crop box, so of the picture.
        np.testing.assert_allclose(changed.mean(axis=0), [20, 20], atol=3)


@pytest.mark.parametrize(
    ('view', 'panels', 'background'),
    [
        (ClipView(BOX, frames=FRAMES), 1, 90),
        (ClipView(BOX, keypoints=KEYPOINTS, heatmaps=HEATMAPS), 2, 0),
        (ClipView(BOX, FRAMES, KEYPOINTS), 1, 90),
    ],
)
def test_a_stream_alone_can_be_seen(view, panels, background):
    shown = view.panels(0, side=40)
    assert len(shown) == panels and len(view) == 5
    assert (shown[-1][0, 0] == background).all()


@pytest.mark.parametrize('columns', [3, 8])
def test_a_sheet_has_captions_and_as_many_frames_as_there_are(columns):
    view = ClipView(BOX, FRAMES, KEYPOINTS, HEATMAPS)
    caption = ['name', 'REGEN NORD']
    sheet = view_sheet(view, caption, columns=columns, side=50)
    width = 50 * min(columns, 5)
    height = len(caption_strip(caption, width))
    assert sheet.shape == (height + 100, width, 3)


def test_the_frames_of_a_video_have_one_even_size():
    view = ClipView(BOX, FRAMES, KEYPOINTS, HEATMAPS)
    images = list(view_frames(view, ['name'], side=31))
    assert len(images) == 5
    assert {image.shape for image in images} == {images[0].shape}
    assert images[0].shape[0] % 2 == images[0].shape[1] % 2 == 0


def test_captions_are_broken_and_may_hold_any_letters():
    short = caption_strip(['REGEN'], 400)
    long = caption_strip(['MÄSSIG $ÜBER_ ' * 20], 400)
    assert short.shape[1:] == (400, 3) and short.dtype == np.uint8
    assert len(long) > 2 * len(short)
    assert (short < 100).any() and (long < 100).any()
    np.testing.assert_array_equal(short[0], 255)
