"""Stage 2 on the toy corpus, with keypoints as points: what the quickstart trains.

The video stream of twostream_slr_toy.py beside the keypoint stream of the recipe for
small corpora: a tenth of the time of heatmaps, and a mouth is more than the few pixels
that it has there. A graph or points have no maps: there are no connections, and the
pyramid is the video stream's. Stage 1 is video_slr_toy.py and
keypoint_slr_toy_points.py.
"""

_base_ = ['twostream_slr_toy.py']
train_cfg = dict(max_epochs=4, val_interval=4)
head = dict(hidden_channels=128, feedforward_channels=256)
model = dict(
    data_preprocessor=dict(
        _delete_=True,
        video_size={{_base_.video_size}},
        keypoint_input='points',
        pad_multiple=4,
        min_padding=8,
    ),
    video=dict(pyramid={{_base_.model.pyramid}}, pyramid_head=head),
    keypoint=dict(
        _delete_=True,
        # As many steps as the video stream has.
        backbone=dict(type='KeypointTCN', depths=(2, 2, 2)),
        head=dict(type='LinearHead'),
    ),
    bilateral=None,
    pyramid=None,
    joint=dict(_delete_=True, type='JointHead', **head),
)
