"""TwoStream-SLR with the head of VAC in place of the paper's.

S3D's features of every fourth frame are interpolated for it. Nobody has published this
one.
"""

_base_ = ['../twostream_slr_phoenix.py']
head = dict(
    type='TemporalConvLSTMHead',
    distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0),
)
model = dict(
    video=dict(output_stride=1, head=head),
    keypoint=dict(output_stride=1, head=head),
    joint=dict(_delete_=True, **head),
)
