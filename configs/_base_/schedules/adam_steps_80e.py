"""SlowFastSign's: twice as long as VAC's, a fifth after 40 and 60 epochs."""

_base_ = 'adam_steps_40e.py'
train_cfg = dict(max_epochs=80)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[40, 60], gamma=0.2, by_epoch=True)
]
