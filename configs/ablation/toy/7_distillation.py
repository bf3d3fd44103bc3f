"""Row 7 of the ablation on the toy corpus: TwoStream-SLR, complete.

Stage 2 of all rows takes half of the quickstart's epochs.
"""

_base_ = ['../../twostream_slr_toy.py']
max_epochs = 2
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, end=20),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        eta_min=1e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
