"""Keypoints alone; no frame is decoded."""

train_pipeline = [
    dict(type='LoadClip', frames=False),
    dict(type='SampleClip'),
    dict(type='ClipRandomCrop'),
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip', frames=False),
    dict(type='SampleClip', test=True),
    dict(type='ClipCenterCrop'),
    dict(type='PackClip'),
]
