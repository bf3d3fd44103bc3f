import numpy as np
import pytest

from mmsign.tracking import SECOND, follow_person

SIGNER, OTHER = np.array([100, 50, 300, 350]), np.array([600, 80, 760, 380])


def clip(length: int, signer, other=(), signer_score=0.6, other_score=0.95):
    """Boxes and scores, the bystander first, of frames in which each is seen."""
    boxes, scores = [], []
    for frame in range(length):
        here = [(OTHER, other_score)] * (frame in other)
        here += [(SIGNER, signer_score)] * (frame in signer)
        # Both sway by some pixels.
        boxes.append(np.array([b + 10 * np.sin(frame) for b, _ in here]).reshape(-1, 4))
        scores.append(np.array([score for _, score in here]))
    return boxes, scores


def followed(boxes, scores) -> list[str]:
    """Per frame: s for the signer, o for the other, . for nobody."""
    chosen = follow_person(boxes, scores, str)
    return ''.join(
        '.' if index < 0 else 's' if boxes[frame][index][0] < 400 else 'o'
        for frame, index in enumerate(chosen)
    )


@pytest.mark.parametrize(
    ('signer', 'other', 'expected'),
    [
        (range(12), range(4, 9), 's' * 12),
        (range(12), range(0, 3), 's' * 12),
        # Where the signer is not seen, the bystander is not taken.
        ({*range(12)} - {5, 6}, range(4, 9), 'sssss..sssss'),
        (range(2, 10), range(12), 'oooooooooooo'),
        (range(12), (), 's' * 12),
        (range(3, 5), (), '...ss.......'),
        ((), (), '.' * 12),
    ],
)
def test_one_person_is_followed(signer, other, expected):
    assert followed(*clip(12, signer, other)) == expected


def test_one_person_who_jumps_is_told():
    notices = []
    boxes, scores = clip(9, {*range(9)} - {4, 5}, {4, 5})
    assert follow_person(boxes, scores, notices.append).tolist() == [0] * 9
    assert len(notices) == 1 and '2 times (first in frame 4)' in notices.pop()
    follow_person(*clip(9, {*range(9)} - {4, 5}), notices.append)
    assert not notices


def test_who_stays_takes_the_place_of_one_who_left():
    length = 4 * SECOND
    first, second = range(2 * SECOND), range(2 * SECOND - 10, length)
    assert followed(*clip(length, first, second, 0.9, 0.6)) == 's' * 2 * SECOND + (
        '.' * 2 * SECOND
    )
    second = range(2 * SECOND + 1, length)
    expected = 's' * 2 * SECOND + '.' + 'o' * (2 * SECOND - 1)
    everyone = clip(length, first, second)
    everyone[0][0] = np.concatenate([everyone[0][0], [[500, 0, 510, 9]]])
    everyone[1][0] = np.append(everyone[1][0], 0.9)
    assert followed(*everyone) == expected


def test_persons_who_cross_keep_their_tracks():
    boxes = [
        np.array(
            [[500 - 10 * t, 50, 650 - 10 * t, 350], [10 * t, 0, 200 + 10 * t, 400]]
        )
        for t in range(50)
    ]
    order = np.random.default_rng(0).integers(0, 2, 50)
    mixed = [b[::-1] if swap else b for b, swap in zip(boxes, order)]
    chosen = follow_person(mixed, [np.ones(2)] * 50, str)
    found = np.array([b[index] for b, index in zip(mixed, chosen)])
    np.testing.assert_array_equal(found, np.stack(boxes)[:, 1])


def test_persons_of_one_point():
    boxes = [np.zeros((2, 4)) + [[5], [50]] for _ in range(5)]
    scores = [np.array([0.5, 0.4])] * 4 + [np.array([0.1, 0.3])]
    assert follow_person(boxes, scores, str).tolist() == [0] * 5
