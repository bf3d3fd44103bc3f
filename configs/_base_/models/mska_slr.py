"""Attention on the keypoints of hands, face and body; four heads and their average."""

model = dict(
    type='SignRecognizer',
    data_preprocessor=dict(keypoint_input='masked_points'),
    decoder=dict(beam_width=5),
    keypoint=dict(backbone=dict(type='MSKA'), head=dict(type='GroupHead')),
    distillation=dict(type='SelfDistillationLoss'),
)
sync_bn = 'torch'
