"""Sentences from a few tracks alone, such as two hands and a nose, of signers known.

What is left of a frame is where the hands are, so nothing is taken away in training;
much is known by which signs follow each other, which the LSTM learns.
"""

_base_ = ['keypoint_slr_small.py']
train_cfg = dict(max_epochs=200, val_interval=200)
warp = dict(type='ClipWarp', degrees=8, scale=0.15, aspect=0.1, shear=0.08, mirror=0.0)
load = dict(type='LoadClip', frames=False)
pack = dict(type='PackClip')
train_dataloader = dict(
    sampler=dict(at_least=1),
    dataset=dict(pipeline=[load, {{_base_.sample}}, {{_base_.crop}}, warp, pack]),
)
tracks_test_pipeline = [load, {{_base_.test_sample}}, {{_base_.crop}}, pack]
val_dataloader = dict(dataset=dict(pipeline=tracks_test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=tracks_test_pipeline))
model = dict(
    keypoint=dict(
        output_stride=1,
        backbone=dict(depths=(2,), dropout=0.3),
        head=dict(
            _delete_=True,
            type='TemporalConvLSTMHead',
            hidden_channels=256,
            classifier='linear',
            share_classifier=False,
            input_dropout=0.2,
        ),
    )
)
default_hooks = dict(
    weights_mean=dict(type='EMAHook', momentum=0.01, update_buffers=True)
)
