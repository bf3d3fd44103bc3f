"""MSKA on the toy corpus, narrow; all else as twostream_narrow_slr_toy.py."""

_base_ = ['twostream_narrow_slr_toy.py']
train_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_test_pipeline}}))
model = dict(
    _delete_=True,
    type='SignRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor=dict(keypoint_input='masked_points', pad_multiple=4),
    decoder={{_base_.model.decoder}},
    keypoint=dict(
        backbone=dict(type='MSKA', channels=(16, 32, 64), strides=(2, 2, 1), subsets=4),
        head=dict(type='GroupHead', hidden_channels=128, feedforward_channels=256),
    ),
    distillation=dict(type='SelfDistillationLoss'),
)
