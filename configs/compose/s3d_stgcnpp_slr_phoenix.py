"""S3D on video, STGCN++ on the keypoints themselves, fused late.

A graph has no maps: no bilateral connections, and the pyramid on video alone.
"""

_base_ = ['../twostream_slr_phoenix.py']
model = dict(
    data_preprocessor=dict(keypoint_input='points'),
    keypoint=dict(
        _delete_=True,
        backbone=dict(
            type='STGCN', gcn_adaptive='init', gcn_with_res=True, tcn_type='mstcn'
        ),
        pyramid=None,
        pretrained='https://download.openmmlab.com/mmaction/v1.0/skeleton/stgcnpp/'
        'stgcnpp_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d/'
        'stgcnpp_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d_20221228-86e1e77a.pth',
    ),
    bilateral=None,
)
