"""X3D-M on video, S3D on heatmaps."""

_base_ = ['../twostream_slr_phoenix.py']
model = dict(
    data_preprocessor=dict(
        video_rgb=True, video_mean=(114.75,) * 3, video_std=(57.38,) * 3
    ),
    video=dict(
        _delete_=True,
        backbone=dict(
            type='X3D', gamma_w=1, gamma_b=2.25, gamma_d=2.2, frozen_stages=0
        ),
        output_stride=4,
        pretrained='https://download.openmmlab.com/mmaction/v1.0/recognition/x3d/'
        'facebook/x3d_m_16x5x1_facebook-kinetics400-rgb_20201027-3f42382a.pth',
    ),
    # 56, 28 and 14 pixels in both; X3D keeps every frame, S3D every second.
    bilateral=dict(
        _delete_=True, type='SeparableBilateralNeck', stages=((1, 0), (2, 1), (3, 2))
    ),
)
