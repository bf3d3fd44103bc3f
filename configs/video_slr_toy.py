"""Stage 1a on the toy corpus: the video stream alone, with the paper's recipe."""

_base_ = ['twostream_slr_toy.py']
train_cfg = dict(max_epochs=10, val_interval=10)
param_scheduler = [
    dict(type='WarmUpLR', updates=60, start_factor=0.05, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
optim_wrapper = dict(optimizer=dict(lr=5e-3), paramwise_cfg=None)
model = dict(
    _delete_=True,
    type='SingleStreamRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor={{_base_.model.data_preprocessor}},
    decoder={{_base_.model.decoder}},
    video=dict(
        backbone={{_base_.model.video.backbone}}, head={{_base_.model.video.head}}
    ),
)
