"""Stage 1b of the quickstart: the keypoint stream alone, on points."""

_base_ = ['keypoint_slr_toy.py']
train_cfg = dict(max_epochs=16, val_interval=16)
optim_wrapper = dict(
    optimizer=dict(
        _delete_=True, type='AdamW', lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01
    ),
    clip_grad=dict(max_norm=5.0),
)
model = dict(
    data_preprocessor=dict(
        _delete_=True, keypoint_input='points', pad_multiple=4, min_padding=8
    ),
    keypoint=dict(
        _delete_=True,
        backbone=dict(type='KeypointTCN', depths=(2, 2, 2)),
        head=dict(type='LinearHead'),
    ),
)
