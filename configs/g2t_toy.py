"""Gloss→text on the toy corpus, what the quickstart pretrains translation with."""

_base_ = [
    '_base_/datasets/toy.py',
    '_base_/schedules/adam_translation_toy.py',
    '_base_/g2t.py',
    '_base_/models/toy_mbart.py',
    '_base_/runtime.py',
]
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(_delete_=True, type='SentenceBucketSampler', batch_size=16),
    dataset=dict(pipeline={{_base_.sentences}}),
)
val_dataloader = dict(num_workers=0, dataset=dict(pipeline={{_base_.sentences}}))
test_dataloader = dict(num_workers=0, dataset=dict(pipeline={{_base_.sentences}}))
model = dict(vocab={{_base_.vocab}}, mbart={{_base_.toy_mbart}})
default_hooks = {{_base_.g2t_hooks}}
custom_hooks = {{_base_.g2t_checks}}
val_evaluator = dict(_delete_=True, type='BLEUMetric')
test_evaluator = dict(_delete_=True, type='BLEUMetric')
