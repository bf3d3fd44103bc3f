"""corrnet_mska_slr_phoenix.py on the toy corpus, narrow."""

_base_ = ['twostream_narrow_slr_toy.py']
model = dict(
    data_preprocessor=dict(keypoint_input='masked_points'),
    video=dict(
        _delete_=True,
        backbone=dict(type='CorrNet', base_channels=16),
        head={{_base_.temporal_head}},
    ),
    keypoint=dict(
        _delete_=True,
        backbone=dict(type='MSKA', channels=(8, 16, 32), strides=(2, 2, 1), subsets=4),
        head=dict(type='GroupHead', hidden_channels=128, feedforward_channels=256),
    ),
    bilateral=None,
    pyramid=None,
)
