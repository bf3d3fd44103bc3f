"""ResNet50 with temporal shift on every frame, S3D on heatmaps."""

_base_ = ['../twostream_slr_phoenix.py']
model = dict(
    data_preprocessor=dict(
        video_rgb=True,
        video_mean=(123.675, 116.28, 103.53),
        video_std=(58.395, 57.12, 57.375),
    ),
    video=dict(
        _delete_=True,
        backbone=dict(type='ResNetTSM', depth=50, shift_div=8, frozen_stages=0),
        output_stride=4,
        pretrained='https://download.openmmlab.com/mmaction/v1.0/recognition/tsm/'
        'tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb/'
        'tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb_'
        '20220831-64d69186.pth',
    ),
    # 56, 28 and 14 pixels in both; the shift keeps every frame, S3D every second.
    bilateral=dict(
        _delete_=True, type='SeparableBilateralNeck', stages=((1, 0), (2, 1), (3, 2))
    ),
)
