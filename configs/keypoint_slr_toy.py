"""Stage 1b on the toy corpus: the keypoint stream alone, with the paper's recipe."""

_base_ = ['video_slr_toy.py']
# As in the two-stream pipeline, but no frame is decoded.
train_pipeline = [
    dict(type='LoadClip', frames=False),
    dict(type='SampleClip', scale=(0.9, 1.1)),
    dict(type='ClipRandomCrop', area=(0.9, 1.0), aspect=(0.95, 1.05)),
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip', frames=False),
    dict(type='SampleClip', test=True),
    dict(type='ClipCenterCrop'),
    dict(type='PackClip'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
model = dict(
    _delete_=True,
    type='SingleStreamRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor={{_base_.model.data_preprocessor}},
    decoder={{_base_.model.decoder}},
    keypoint=dict(
        backbone=dict(
            type='S3D',
            in_channels=79,
            width={{_base_.width}},
            norm_momentum={{_base_.norm_momentum}},
        ),
        head={{_base_.head}},
    ),
)
