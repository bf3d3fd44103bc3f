import numpy as np

from mmsign.datasets.transforms.pack import PackClip


def test_tensors_are_views_and_nothing_of_the_reference_is_lost():
    frames = np.zeros((4, 8, 8, 3), np.uint8)
    results = dict(
        clip_id='c',
        signer='S',
        glosses=['A', 'UNKNOWN'],
        text=None,
        num_frames=9,
        frame_indices=np.array([0, 2, 4, 8]),
        frame_size=(20, 24),
        crop_box=(0.0, 0.0, 20.0, 24.0),
        frames=frames,
        keypoints=np.zeros((4, 79, 3), np.float32),
    )
    packed = PackClip()(results)
    video = packed['inputs']['video']
    assert video.shape == (3, 4, 8, 8)
    assert video.data_ptr() == frames.ctypes.data
    sample = packed['data_samples']
    assert sample.length == 4 and sample.glosses == ['A', 'UNKNOWN']
    blind = PackClip()(results | dict(frames='folder'))
    assert set(blind['inputs']) == {'keypoints'}
