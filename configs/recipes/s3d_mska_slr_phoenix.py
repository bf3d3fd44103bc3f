"""S3D on video, MSKA on the keypoints themselves, fused late.

Points have no maps: no bilateral connections, and the pyramid on video alone. Stage 1
of the keypoint stream is mska_slr_phoenix.py with LoadClip(face='twostream'):
`model.keypoint.checkpoint=FILE`.
"""

_base_ = ['../twostream_slr_phoenix.py']
model = dict(
    data_preprocessor=dict(keypoint_input='masked_points'),
    keypoint=dict(
        _delete_=True,
        backbone=dict(type='MSKA'),
        head=dict(type='GroupHead'),
        pyramid=None,
    ),
    bilateral=None,
)
