"""Frames and keypoints of a clip through one set of decisions."""

video_size = 224
train_pipeline = [
    dict(type='LoadClip'),
    dict(type='SampleClip'),
    dict(type='DecodeClip'),
    dict(type='ClipRandomCrop'),
    dict(type='ClipResize', size=video_size),
    dict(type='ClipColorJitter'),
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='SampleClip', test=True),
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop'),
    dict(type='ClipResize', size=video_size),
    dict(type='PackClip'),
]
