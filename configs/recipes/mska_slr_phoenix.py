"""MSKA on Phoenix-2014, keypoints alone. Paper: 21.2 WER, the best of its heads."""

_base_ = [
    '../_base_/models/mska_slr.py',
    '../_base_/datasets/phoenix2014.py',
    '../_base_/pipelines/mska.py',
    '../_base_/schedules/adam_cosine_40e.py',
    '../_base_/runtime.py',
]
train_cfg = dict(max_epochs=100)
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
model = dict(
    vocab={{_base_.vocab}}, decoder=dict(merge_adjacent={{_base_.merge_adjacent}})
)
