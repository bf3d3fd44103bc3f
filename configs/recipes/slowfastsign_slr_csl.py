"""SlowFastSign on CSL-Daily. Published: 25.49 / 24.85 WER, by unit costs."""

_base_ = [
    '../_base_/models/slowfastsign.py',
    '../_base_/datasets/csl_daily.py',
    '../_base_/pipelines/fixed_crop.py',
    '../_base_/schedules/adam_steps_80e.py',
    '../_base_/runtime.py',
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
model = dict(
    vocab={{_base_.vocab}},
    decoder=dict(merge_adjacent={{_base_.merge_adjacent}}),
    data_preprocessor=dict(video_size={{_base_.video_size}}),
)
