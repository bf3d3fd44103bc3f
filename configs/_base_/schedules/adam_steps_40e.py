"""VAC's and CorrNet's: Adam, a fifth of the learning rate after 20 and 35 epochs."""

_base_ = 'adam_cosine_40e.py'
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='FusedAdam', lr=1e-4, weight_decay=1e-4)
)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[20, 35], gamma=0.2, by_epoch=True)
]
total_batch_size = 2
auto_scale_lr = dict(base_batch_size=2)
