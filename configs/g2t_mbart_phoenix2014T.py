"""Gloss→text pretraining of mBART-large-cc25 on Phoenix-2014T (80 epochs, lr 1e-5)."""

_base_ = [
    '_base_/datasets/phoenix2014T.py',
    '_base_/schedules/adam_cosine_40e.py',
    '_base_/g2t.py',
    '_base_/runtime.py',
]
train_cfg = dict(max_epochs=80, val_interval=5)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(lr=1e-5))
total_batch_size = 64
auto_scale_lr = dict(base_batch_size=64)
train_dataloader = dict(
    batch_size=8,
    sampler={{_base_.in_any_order}},
    dataset=dict(pipeline={{_base_.sentences}}),
)
val_dataloader = dict(batch_size=8, dataset=dict(pipeline={{_base_.sentences}}))
test_dataloader = dict(batch_size=8, dataset=dict(pipeline={{_base_.sentences}}))
model = dict(
    vocab={{_base_.vocab}},
    mbart=dict(
        language='de_DE', folder='data/mbart/phoenix2014T', frozen_embeddings=True
    ),
)
default_hooks = {{_base_.g2t_hooks}}
custom_hooks = {{_base_.g2t_checks}}
val_evaluator = dict(_delete_=True, type='BLEUMetric')
test_evaluator = dict(_delete_=True, type='BLEUMetric')
