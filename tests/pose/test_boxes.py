import numpy as np
import pytest

from mmsign.pose import FixedBox, FullFrame, hold_boxes

FRAMES = [np.zeros((30, 40, 3), np.uint8)] * 3
NOBODY = [np.nan] * 4


def test_the_full_frame_is_each_frames_own():
    frames = [np.zeros((30, 40, 3), np.uint8), np.zeros((10, 20, 3), np.uint8)]
    np.testing.assert_array_equal(FullFrame()(frames), [(0, 0, 40, 30), (0, 0, 20, 10)])
    assert FullFrame()([]).shape == (0, 4)


def test_a_fixed_box_is_given_by_corner_and_size():
    boxes = FixedBox(5, 6, 10, 20)(FRAMES)
    assert boxes.dtype == np.float32
    np.testing.assert_array_equal(boxes, [(5, 6, 15, 26)] * 3)


def test_a_box_without_pixels_is_refused():
    with pytest.raises(ValueError, match='0×20 pixels is empty'):
        FixedBox(5, 6, 0, 20)
    with pytest.raises(ValueError, match=r'box \(40, 0, 50, 10\).*40×30'):
        FixedBox(40, 0, 10, 10)(FRAMES)


def test_a_frame_without_a_person_takes_the_box_before():
    boxes = np.array([NOBODY, (1, 2, 3, 4), NOBODY], np.float32)
    held = hold_boxes(boxes, np.float32([9, 9, 19, 19]), FRAMES)
    np.testing.assert_array_equal(held, [(9, 9, 19, 19), (1, 2, 3, 4), (1, 2, 3, 4)])
    assert np.isnan(boxes).sum() == 8  # the argument stays


def test_the_start_of_a_clip_takes_the_first_box_found_or_the_frame():
    boxes = np.array([NOBODY, (1, 2, 3, 4), NOBODY], np.float32)
    np.testing.assert_array_equal(hold_boxes(boxes, None, FRAMES), [(1, 2, 3, 4)] * 3)
    nobody = np.array([NOBODY] * 3, np.float32)
    np.testing.assert_array_equal(
        hold_boxes(nobody, None, FRAMES), [(0, 0, 40, 30)] * 3
    )
