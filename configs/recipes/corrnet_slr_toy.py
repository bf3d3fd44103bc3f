"""CorrNet on the toy corpus, narrow; with the schedule and the crops of toy configs."""

_base_ = ['../video_slr_toy.py']
model = dict(
    video=dict(
        _delete_=True,
        backbone=dict(type='CorrNet', base_channels=16),
        head=dict(
            type='TemporalConvLSTMHead',
            hidden_channels=256,
            distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0),
        ),
    )
)
