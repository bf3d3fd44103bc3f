"""Frames and keypoints, for a corpus of your own: few hundred clips of a few signers.

Both streams are trained at once, from scratch or from `model.video.pretrained=FILE`
(Kinetics-400 weights, which want `model.video.backbone.width=1`).
"""

_base_ = ['keypoint_slr_small.py']
train_cfg = dict(max_epochs=40, val_interval=40)
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
head = dict(hidden_channels=128, feedforward_channels=256, dropout=0.3)
model = dict(
    type='TwoStreamRecognizer',
    data_preprocessor=dict(video_size={{_base_.video_size}}),
    # As many steps as the keypoint stream has.
    video=dict(
        backbone=dict(type='S3D', in_channels=3, width=0.25, norm_momentum=0.1),
        output_stride=2,
        head=head,
    ),
    joint=dict(type='JointHead', **head),
    # Without it the frames, from scratch and of few clips, hardly begin to be read.
    distillation=dict(type='SelfDistillationLoss'),
)
