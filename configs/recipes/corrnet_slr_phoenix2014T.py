"""CorrNet on Phoenix-2014T. Published: 18.9 / 20.5 WER."""

_base_ = ['smkd_slr_phoenix2014T.py']
model = dict(
    video=dict(
        backbone=dict(_delete_=True, type='CorrNet'),
        head=dict(
            distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0)
        ),
    )
)
