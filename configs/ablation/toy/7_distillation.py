"""Row 7 of the ablation on the toy corpus: TwoStream-SLR, complete.

Stage 2 of all rows takes a third of the epochs of twostream_slr_toy.py.
"""

_base_ = ['../../twostream_slr_toy.py']
train_cfg = dict(max_epochs=2, val_interval=2)
param_scheduler = [
    dict(type='WarmUpLR', updates=20, start_factor=0.05, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
