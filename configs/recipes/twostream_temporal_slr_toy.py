"""twostream_temporal_slr_phoenix.py on the toy corpus, narrow."""

_base_ = ['twostream_narrow_slr_toy.py']
head = dict(
    type='TemporalConvLSTMHead',
    hidden_channels=128,
    classifier='linear',
    share_classifier=False,
    distillation=dict(type='TemperatureDistillationLoss', loss_weight=1.0),
)
stream = dict(output_stride=1, head=dict(_delete_=True, **head))
model = dict(video=stream, keypoint=stream, joint=dict(_delete_=True, **head))
