"""CorrNet on video, MSKA on the keypoints themselves, fused late.

By the average, the joint head and self-distillation; points have no maps to connect.
Stage 1 are corrnet_slr_phoenix.py and mska_slr_phoenix.py, the latter with
LoadClip(face='twostream'): name them as model.video.checkpoint and
model.keypoint.checkpoint.
Nobody has published this one.
"""

_base_ = ['s3d_mska_slr_phoenix.py']
model = dict(
    data_preprocessor=dict(video_rgb=True),
    video=dict(
        _delete_=True,
        backbone=dict(type='CorrNet'),
        head=dict(
            type='TemporalConvLSTMHead',
            distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0),
        ),
        pretrained='https://download.pytorch.org/models/resnet18-f37072fd.pth',
    ),
    pyramid=None,
)
