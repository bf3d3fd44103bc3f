"""corrnet_mska_slr_phoenix.py on the toy corpus, narrow."""

_base_ = ['../twostream_slr_toy.py']
model = dict(
    data_preprocessor=dict(keypoint_input='masked_points'),
    video=dict(
        _delete_=True,
        backbone=dict(type='CorrNet', base_channels=16),
        head=dict(
            type='TemporalConvLSTMHead',
            hidden_channels=256,
            distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0),
        ),
    ),
    keypoint=dict(
        _delete_=True,
        backbone=dict(
            type='MSKA', channels=(16, 16, 32, 32, 64, 64), strides=(2, 1, 1, 1, 2, 1)
        ),
        head=dict(type='GroupHead', hidden_channels=128, feedforward_channels=256),
    ),
    bilateral=None,
    pyramid=None,
)
