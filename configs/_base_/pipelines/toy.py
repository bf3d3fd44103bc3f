"""The two-stream pipeline at the toy corpus's size."""

video_size = 32
train_pipeline = [
    dict(type='LoadClip'),
    # Milder than the paper's: toy signs are short, squeezing them to half leaves
    # too few output steps, and a few hundred steps must do.
    dict(type='SampleClip', scale=(0.9, 1.1)),
    dict(type='DecodeClip'),
    dict(type='ClipRandomCrop', area=(0.9, 1.0), aspect=(0.95, 1.05)),
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
