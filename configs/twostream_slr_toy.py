"""Stage 2 on the toy corpus: TwoStream-SLR.

Every part of the full network, narrow and at low resolution. As the paper's recipe has
it, train video_slr_toy.py and keypoint_slr_toy.py first and name their checkpoints in
model.video.checkpoint and model.keypoint.checkpoint.
"""

_base_ = [
    '_base_/datasets/toy.py',
    '_base_/pipelines/toy.py',
    '_base_/schedules/adam_toy.py',
    '_base_/runtime.py',
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))

# From scratch the running averages must arrive within a few hundred steps.
norm_momentum = 0.1
width = 0.25
head = dict(hidden_channels=256, feedforward_channels=512)
model = dict(
    type='TwoStreamRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor=dict(
        video_size={{_base_.video_size}},
        heatmap_size=16,
        # About one pixel of such a small heatmap.
        sigma=5.0,
        # From scratch: what is empty looks like the convolutions' padding.
        heatmap_range=(0.0, 1.0),
        pad_multiple=4,
        min_padding=8,
    ),
    decoder=dict(beam_width=5),
    video=dict(
        backbone=dict(
            type='S3D', in_channels=3, width=width, norm_momentum=norm_momentum
        ),
        head=head,
        pyramid_head=head,
    ),
    keypoint=dict(
        backbone=dict(type='S3D', width=width, norm_momentum=norm_momentum),
        head=head,
        pyramid_head=head,
    ),
    # Few steps must do: the connections begin small beside the trained streams.
    bilateral=dict(type='BilateralNeck', stages=(0, 1, 2), init_gain=0.1),
    pyramid=dict(type='SignPyramid', levels=3, norm_momentum=norm_momentum),
    joint=dict(type='JointHead', **head),
    distillation=dict(type='SelfDistillationLoss'),
)
# What is trained already moves slowly while the new parts settle. So do the
# connections: their kernels have thousands of inputs, and a step as large as
# elsewhere would change what they pass on beyond recognition.
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={
            'bilateral': dict(lr_mult=0.07),
            'backbone': dict(lr_mult=0.3),
            '.head.': dict(lr_mult=0.3),
        }
    )
)
