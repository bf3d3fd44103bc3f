"""Stage 1b: the keypoint stream alone on Phoenix-2014T."""

_base_ = [
    '_base_/models/keypoint_slr.py',
    '_base_/datasets/phoenix2014T.py',
    '_base_/pipelines/keypoint.py',
    '_base_/schedules/adam_cosine_40e.py',
    '_base_/runtime.py',
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
model = dict(
    vocab={{_base_.vocab}},
    decoder=dict(merge_adjacent={{_base_.merge_adjacent}}),
    data_preprocessor=dict(sigma={{_base_.sigma}}),
)
