"""CorrNet on CSL-Daily: no correlation behind the second layer, no other speeds.
Published: 30.6 / 30.1 WER.
"""

_base_ = ['smkd_slr_csl.py']
train_pipeline = [
    dict(type='LoadClip', keypoints=False),
    dict(type='SampleRescaled', scale=(1.0, 1.0)),
    dict(type='DecodeClip'),
    dict(type='ClipFixedCrop', fraction={{_base_.fraction}}),
    dict(type='ClipResize', size={{_base_.video_size}}),
    dict(type='ClipFlip'),
    dict(type='PackClip'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=5e-5))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[20, 35], gamma=0.5, by_epoch=True)
]
model = dict(
    video=dict(
        backbone=dict(_delete_=True, type='CorrNet', correlated=(3, 4)),
        head=dict(
            distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0)
        ),
    )
)
