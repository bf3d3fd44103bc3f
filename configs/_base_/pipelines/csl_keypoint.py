"""CSL-Daily is tested on the middle 270 of 320 pixels, whatever its size on disk."""

_base_ = 'keypoint.py'
test_pipeline = [
    dict(type='LoadClip', frames=False),
    dict(type='SampleClip', test=True),
    dict(type='ClipCenterCrop', fraction=270 / 320),
    dict(type='PackClip'),
]
