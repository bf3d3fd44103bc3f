"""Stage 2: TwoStream-SLR on Phoenix-2014. Paper: 18.39 / 18.79 WER.

Stage 1 first: video_slr_phoenix.py and keypoint_slr_phoenix.py; then name their
checkpoints with ``--cfg-options model.video.checkpoint=… model.keypoint.checkpoint=…``.
"""

_base_ = [
    '_base_/datasets/phoenix2014.py',
    '_base_/pipelines/twostream.py',
    '_base_/schedules/adam_cosine_40e.py',
    '_base_/runtime.py',
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))

model = dict(
    type='TwoStreamRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor=dict(
        video_size={{_base_.video_size}}, heatmap_size=112, sigma=8.0
    ),
    decoder=dict(beam_width=5, merge_adjacent=True),
    video=dict(backbone=dict(type='S3D', in_channels=3, frozen_blocks=1)),
    keypoint=dict(backbone=dict(type='S3D', in_channels=79)),
    bilateral=dict(type='BilateralNeck', stages=(0, 1, 2)),
    pyramid=dict(type='SignPyramid', levels=3),
    joint=dict(type='JointHead'),
    distillation=dict(type='SelfDistillationLoss'),
)
sync_bn = 'torch'
