"""twostream_temporal_slr_phoenix.py on the toy corpus, narrow."""

_base_ = ['../twostream_slr_toy.py']
head = dict(
    type='TemporalConvLSTMHead',
    hidden_channels=256,
    distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0),
)
model = dict(
    video=dict(output_stride=1, head=dict(_delete_=True, **head)),
    keypoint=dict(output_stride=1, head=dict(_delete_=True, **head)),
    joint=dict(_delete_=True, **head),
)
