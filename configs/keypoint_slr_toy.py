"""Stage 1b on the toy corpus: the keypoint stream alone, with the paper's recipe."""

_base_ = ['video_slr_toy.py']
train_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_test_pipeline}}))
model = dict(
    _delete_=True,
    type='SingleStreamRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor={{_base_.model.data_preprocessor}},
    decoder={{_base_.model.decoder}},
    keypoint=dict(
        backbone=dict(
            type='S3D', width={{_base_.width}}, norm_momentum={{_base_.norm_momentum}}
        ),
        head={{_base_.head}},
    ),
)
