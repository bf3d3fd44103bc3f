"""SlowFast with fusion of its paths on video, S3D on heatmaps, connected; with pyramid,
joint head and self-distillation. Nobody has published this one.
"""

_base_ = ['../twostream_slr_phoenix.py']
model = dict(
    data_preprocessor=dict(
        video_rgb=True, video_mean=(114.75,) * 3, video_std=(57.375,) * 3
    ),
    video=dict(
        _delete_=True,
        backbone=dict(type='BidirectionalSlowFast'),
        output_stride=4,
        pretrained='https://download.openmmlab.com/mmaction/v1.0/recognition/slowfast/'
        'slowfast_r101_8xb8-8x8x1-256e_kinetics400-rgb/'
        'slowfast_r101_8xb8-8x8x1-256e_kinetics400-rgb_20220901-9c0e09bd.pth',
    ),
    # 56, 28 and 14 pixels in both; SlowFast keeps every frame, S3D every second.
    bilateral=dict(
        _delete_=True, type='SeparableBilateralNeck', stages=((1, 0), (2, 1), (3, 2))
    ),
)
