"""SlowFastSign on the toy corpus, narrow; with the schedule and the crops of toy
configs.
"""

_base_ = ['../video_slr_toy.py']
model = dict(
    video=dict(
        _delete_=True,
        backbone=dict(
            type='BidirectionalSlowFast',
            depth=50,
            base_channels=16,
            stage_blocks=(1, 1, 2, 1),
        ),
        head=dict(
            type='PathwayTemporalHead',
            hidden_channels=256,
            distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0),
        ),
    )
)
