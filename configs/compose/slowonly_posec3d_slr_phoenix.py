"""SlowOnly-R50 on video, PoseC3D's SlowOnly on heatmaps of 56 pixels."""

_base_ = ['../twostream_slr_phoenix.py']
published = 'https://download.openmmlab.com/mmaction/v1.0'
model = dict(
    data_preprocessor=dict(
        heatmap_size=56,
        video_rgb=True,
        video_mean=(123.675, 116.28, 103.53),
        video_std=(58.395, 57.12, 57.375),
    ),
    video=dict(
        _delete_=True,
        backbone=dict(type='ResNet3dSlowOnly', depth=50, frozen_stages=0),
        output_stride=4,
        pretrained=f'{published}/recognition/slowonly/'
        'slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb/'
        'slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb_20220901-2132fc87.pth',
    ),
    keypoint=dict(
        _delete_=True,
        backbone=dict(
            type='ResNet3dSlowOnly',
            depth=50,
            base_channels=32,
            num_stages=3,
            out_indices=(2,),
            stage_blocks=(4, 6, 3),
            conv1_stride_s=1,
            pool1_stride_s=1,
            inflate=(0, 1, 1),
            spatial_strides=(2, 2, 2),
            temporal_strides=(1, 1, 2),
            dilations=(1, 1, 1),
        ),
        output_stride=4,
        pretrained=f'{published}/skeleton/posec3d/'
        'slowonly_r50_8xb16-u48-240e_ntu60-xsub-keypoint/'
        'slowonly_r50_8xb16-u48-240e_ntu60-xsub-keypoint_20220815-38db104b.pth',
    ),
    # 56, 28 and 14 pixels in both.
    bilateral=dict(
        _delete_=True, type='SeparableBilateralNeck', stages=((1, 0), (2, 1), (3, 2))
    ),
)
