import numpy as np
import pytest

from mmsign.errors import DataError
from mmsign.interop.landmark_vectors import (
    VECTORS,
    read_array,
    read_arrays,
    vector_points,
)
from mmsign.interop.mediapipe_points import MEDIAPIPE_TABLE, PARTS, keypoints_79, placed


@pytest.mark.parametrize('size', VECTORS)
def test_vectors_are_the_named_landmarks_one_after_the_other(size):
    """As those who write such files do: body with visibility, face, left, right."""
    rng = np.random.default_rng(0)
    counts = dict(pose=33, face=468, left_hand=21, right_hand=21)
    named, flat = {}, []
    for part in PARTS:
        if part == 'face' and size == 258:
            continue
        found = rng.uniform(0.1, 0.9, (counts[part], 4 if part == 'pose' else 3))
        named |= {f'{part}_{i}': [*x[:2], *x[3:]] for i, x in enumerate(found)}
        flat.append(found.reshape(-1))
    vector = np.concatenate(flat)
    assert vector.shape == (size,)
    sizes = dict(frame_size=(640, 480))
    found = placed(vector_points(np.stack([vector, 0 * vector])), **sizes)
    np.testing.assert_array_equal(found, keypoints_79([named, {}], **sizes))
    # Another table takes others of them.
    table = {'left_hand_20': 99}
    one = placed(vector_points(vector[None], table), **sizes)
    np.testing.assert_array_equal(one, keypoints_79([named], table, **sizes))


def test_what_was_not_found_has_score_zero():
    vectors = np.full((4, 258), 0.5)
    vectors[0, 132:195] = 0  # the left hand
    vectors[1, :4] = 0.0, 0.0, -0.3, 0.9  # only z of the nose
    vectors[2, 4 * 15] = np.nan  # x of the left wrist
    vectors[3, 4 * 15 + 1] = np.inf
    scores = placed(vector_points(vectors), (640, 480))[..., 2]
    assert not scores[0, 16:37].any() and scores[0, 37:58].all()
    assert scores[:, 68].tolist() == [0.5, 0, 0.5, 0.5]
    assert scores[:, 77].tolist() == [0.5, 0.5, 0, 0]
    # The face is not in vectors of this length.
    assert not scores[:, :16].any()


@pytest.mark.parametrize('shape', [(3, 257), (3, 1661), (3, 1692), (3, 0), (258, 3)])
def test_other_lengths_are_refused(shape):
    with pytest.raises(DataError, match='expected numbers, 258 or 1662'):
        vector_points(np.zeros(shape))


def test_what_is_no_array_is_refused_with_its_file(tmp_path):
    np.save(tmp_path / 'objects.npy', np.array([dict()]))
    np.save(tmp_path / 'cut.npy', np.zeros((30, 258)))
    whole = (tmp_path / 'cut.npy').read_bytes()
    (tmp_path / 'cut.npy').write_bytes(whole[:5000])
    (tmp_path / 'text.npy').write_text('0.5 0.5')
    (tmp_path / 'empty.npy').write_bytes(b'')
    np.savez(tmp_path / 'a.npz', x=np.zeros(3))
    (tmp_path / 'a.npz').rename(tmp_path / 'archive.npy')
    for name in ('objects', 'cut', 'text', 'empty', 'archive', 'absent'):
        with pytest.raises(DataError, match=rf'{name}\.npy: no array'):
            read_array(tmp_path / f'{name}.npy')
    np.savez(tmp_path / 'objects.npz', x=np.array([dict()]))
    (tmp_path / 'bare.npz').write_bytes(whole)
    (tmp_path / 'text.npz').write_text('PK')
    for name in ('objects', 'bare', 'text', 'absent'):
        with pytest.raises(DataError, match=rf'{name}\.npz: no arrays'):
            read_arrays(tmp_path / f'{name}.npz')


def test_every_landmark_of_the_table_is_in_the_long_vector():
    names = {f'{part}_{i}' for part, count, _ in VECTORS[1662] for i in range(count)}
    assert set(MEDIAPIPE_TABLE) <= names
