"""TwoStream from scratch on the toy corpus: the base of all toy recipes.

Narrower than twostream_slr_toy.py, which starts from trained streams. Data, crops,
schedule and decoding are the same for every recipe that docs/recipes.md compares on
this corpus; the widths are such that a training takes about as long.
"""

_base_ = ['../twostream_slr_toy.py']
width = 0.125
head = dict(hidden_channels=128, feedforward_channels=256)
stream = dict(backbone=dict(width=width), head=head, pyramid_head=head)
model = dict(video=stream, keypoint=stream, joint=head)
train_cfg = dict(max_epochs=8, val_interval=8)
param_scheduler = [
    dict(type='WarmUpLR', updates=100, start_factor=0.05, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
# Nothing is trained already: all parts move alike.
optim_wrapper = dict(
    optimizer=dict(lr=2e-3), clip_grad=dict(max_norm=5.0), paramwise_cfg=None
)
# What other recipes have in place of the paper's head, with VAC's classifiers. From
# scratch, distillation of the published weight, 25, keeps the convolutions from
# learning before the LSTM does.
temporal_head = dict(
    type='TemporalConvLSTMHead',
    hidden_channels=128,
    classifier='linear',
    share_classifier=False,
    distillation=dict(type='TemperatureDistillationLoss', loss_weight=1.0),
)
