"""The two-stream pipeline at the toy corpus's size."""

video_size = 64
train_pipeline = [
    dict(type='LoadClip'),
    # Toy signs are short: squeezing them to half leaves too few output steps.
    dict(type='SampleClip', scale=(0.8, 1.4)),
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
