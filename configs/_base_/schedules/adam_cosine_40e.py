"""The paper's recipe: Adam, cosine annealing per epoch to 0 over 40 epochs."""

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=40, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# bfloat16 on a GPU that has it, float32 elsewhere.
optim_wrapper = dict(
    type='BFloat16OptimWrapper',
    optimizer=dict(type='FusedAdam', lr=1e-3, betas=(0.9, 0.998), weight_decay=1e-3),
)
param_scheduler = [dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True)]
# Clips of an update, on any number of GPUs, and for which the learning rate is.
total_batch_size = 8
auto_scale_lr = dict(enable=False, base_batch_size=8)
