"""TwoStream-SLR, complete.

Leave a line out for a row of the paper's ablation. Streams that were trained alone
are named with ``model.video.checkpoint`` and ``model.keypoint.checkpoint``.
"""

model = dict(
    type='TwoStreamRecognizer',
    data_preprocessor=dict(heatmap_size=112),
    decoder=dict(beam_width=5),
    video=dict(backbone=dict(type='S3D', in_channels=3, frozen_blocks=1)),
    keypoint=dict(backbone=dict(type='S3D')),
    bilateral=dict(type='BilateralNeck', stages=(0, 1, 2)),
    pyramid=dict(type='SignPyramid', levels=3),
    joint=dict(type='JointHead'),
    distillation=dict(type='SelfDistillationLoss'),
)
sync_bn = 'torch'
