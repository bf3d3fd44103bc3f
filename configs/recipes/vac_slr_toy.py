"""VAC on the toy corpus: three stages of ResNet-18 and a narrow head, with the schedule
and the crops of toy configs."""

_base_ = ['../video_slr_toy.py']
model = dict(
    video=dict(
        _delete_=True,
        backbone=dict(
            type='ResNet',
            depth=18,
            num_stages=3,
            out_indices=(2,),
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
        ),
        head=dict(
            type='TemporalConvLSTMHead',
            hidden_channels=256,
            classifier='linear',
            share_classifier=False,
        ),
    )
)
