"""Frames alone: a crop of 7/8 of the frame's sides, mirrored, at ±20 % speed.

The published networks see 224 pixels of frames that were made 256 wide and high.
"""

video_size = 224
fraction = 224 / 256
train_pipeline = [
    dict(type='LoadClip', keypoints=False),
    dict(type='SampleRescaled'),
    dict(type='DecodeClip'),
    dict(type='ClipFixedCrop', fraction=fraction),
    dict(type='ClipResize', size=video_size),
    dict(type='ClipFlip'),
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip', keypoints=False),
    dict(type='SampleRescaled', test=True, max_length=400),
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop', fraction=fraction),
    dict(type='ClipResize', size=video_size),
    dict(type='PackClip'),
]
