"""Video Swin Transformer-T on video, S3D on heatmaps."""

_base_ = ['../twostream_slr_phoenix.py']
model = dict(
    data_preprocessor=dict(
        video_rgb=True,
        video_mean=(123.675, 116.28, 103.53),
        video_std=(58.395, 57.12, 57.375),
    ),
    video=dict(
        _delete_=True,
        backbone=dict(type='SwinTransformer3D', arch='tiny', frozen_stages=0),
        output_stride=4,
        pretrained='https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
        'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
        'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_'
        '20220930-241016b2.pth',
    ),
    # 56, 28 and 14 pixels in both.
    bilateral=dict(
        _delete_=True, type='SeparableBilateralNeck', stages=((1, 0), (2, 1), (3, 2))
    ),
)
