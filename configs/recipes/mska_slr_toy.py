"""MSKA on the toy corpus, narrow; with the sampling and the crops of toy configs."""

_base_ = [
    '../_base_/models/mska_slr.py',
    '../_base_/datasets/toy.py',
    '../_base_/pipelines/toy.py',
    '../_base_/schedules/adam_toy.py',
    '../_base_/runtime.py',
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.keypoint_test_pipeline}}))
model = dict(
    vocab={{_base_.vocab}},
    data_preprocessor=dict(pad_multiple=4),
    keypoint=dict(
        backbone=dict(channels=(16, 16, 32, 32, 64, 64), strides=(2, 1, 1, 1, 2, 1)),
        head=dict(hidden_channels=128, feedforward_channels=256),
    ),
)
