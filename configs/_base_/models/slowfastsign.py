"""SlowFast-101 with fusion of its paths, three temporal heads: SlowFastSign (Ahn et al.
2024).
"""

_base_ = 'vac.py'
model = dict(
    data_preprocessor=dict(video_mean=(114.75,) * 3, video_std=(57.375,) * 3),
    video=dict(
        backbone=dict(_delete_=True, type='BidirectionalSlowFast'),
        pretrained='https://download.openmmlab.com/mmaction/v1.0/recognition/slowfast/'
        'slowfast_r101_8xb8-8x8x1-256e_kinetics400-rgb/'
        'slowfast_r101_8xb8-8x8x1-256e_kinetics400-rgb_20220901-9c0e09bd.pth',
        head=dict(
            _delete_=True,
            type='PathwayTemporalHead',
            input_dropout=0.5,
            distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0),
        ),
    ),
)
