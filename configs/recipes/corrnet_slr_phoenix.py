"""CorrNet on Phoenix-2014. Published: 18.8 / 19.4 WER."""

_base_ = ['smkd_slr_phoenix.py']
model = dict(
    video=dict(
        backbone=dict(_delete_=True, type='CorrNet'),
        head=dict(
            distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0)
        ),
    )
)
