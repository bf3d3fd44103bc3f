"""UniFormer-S on video, S3D on heatmaps.

Its two upper scales attend to all positions of the clip at once: memory grows with the
square of the frames.
"""

_base_ = ['../twostream_slr_phoenix.py']
model = dict(
    data_preprocessor=dict(
        video_rgb=True, video_mean=(114.75,) * 3, video_std=(57.375,) * 3
    ),
    video=dict(
        _delete_=True,
        backbone=dict(
            type='UniFormer',
            depth=[3, 4, 8, 3],
            embed_dim=[64, 128, 320, 512],
            head_dim=64,
            drop_path_rate=0.1,
        ),
        output_stride=4,
        pretrained='https://download.openmmlab.com/mmaction/v1.0/recognition/uniformerv1/'
        'uniformer-small_imagenet1k-pre_16x4x1_kinetics400-rgb_20221219-c630a037.pth',
    ),
    # 56, 28 and 14 pixels in both.
    bilateral=dict(_delete_=True, type='SeparableBilateralNeck', stages=(0, 1, 2)),
)
