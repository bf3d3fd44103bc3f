"""The pipelines of the toy corpus: two streams, and keypoints alone."""

video_size = 32
# Milder than the paper's: toy signs are short, squeezing them to half leaves too few
# output steps.
sample = dict(type='SampleClip', scale=(0.85, 1.15))
crop = dict(type='ClipRandomCrop', area=(0.85, 1.0), aspect=(0.9, 1.1))
resize = dict(type='ClipResize', size=video_size)
test_sample = dict(type='SampleClip', test=True)
train_pipeline = [
    dict(type='LoadClip'),
    sample,
    dict(type='DecodeClip'),
    crop,
    resize,
    dict(type='ClipColorJitter'),
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip'),
    test_sample,
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop'),
    resize,
    dict(type='PackClip'),
]
# No frame is decoded.
keypoint_train_pipeline = [
    dict(type='LoadClip', frames=False),
    sample,
    crop,
    dict(type='PackClip'),
]
keypoint_test_pipeline = [
    dict(type='LoadClip', frames=False),
    test_sample,
    dict(type='ClipCenterCrop'),
    dict(type='PackClip'),
]
