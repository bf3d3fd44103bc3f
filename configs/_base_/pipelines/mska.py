"""Keypoints alone, of the whole frame; every second training clip is turned."""

load = dict(type='LoadClip', frames=False, face='mska')
# About the middle of the frame, in shares of its sides.
turn = dict(
    type='mmsign.ClipWarp',
    mirror=0.0,
    degrees=15.0,
    scale=0.0,
    aspect=0.0,
    shear=0.0,
    shift=0.0,
    tilt=0.0,
)
train_pipeline = [
    load,
    dict(type='SampleClip'),
    dict(type='ClipCenterCrop'),
    dict(type='RandomApply', transforms=[turn], prob=0.5),
    dict(type='PackClip'),
]
test_pipeline = [
    load,
    dict(type='SampleClip', test=True),
    dict(type='ClipCenterCrop'),
    dict(type='PackClip'),
]
