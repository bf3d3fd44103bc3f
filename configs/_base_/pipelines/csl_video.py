"""CSL-Daily is tested on the middle 270 of 320 pixels, whatever its size on disk."""

_base_ = 'video.py'
test_pipeline = [
    dict(type='LoadClip', keypoints=False),
    dict(type='SampleClip', test=True),
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop', fraction=270 / 320),
    dict(type='ClipResize', size={{_base_.video_size}}),
    dict(type='PackClip'),
]
