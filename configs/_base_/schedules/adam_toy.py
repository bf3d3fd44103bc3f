"""Adam with a short warm-up and cosine annealing per iteration, from scratch."""

max_epochs = 5
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=max_epochs
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3, betas=(0.9, 0.998)),
    # The connections' kernels have thousands of inputs: from scratch, a step as
    # large as elsewhere would change what they pass on beyond recognition.
    paramwise_cfg=dict(custom_keys=dict(bilateral=dict(lr_mult=0.2))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, end=30),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        eta_min=1e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)
