"""Stage 2 of the quickstart, on the toy corpus: keypoints as points.

The video stream of twostream_slr_toy.py beside the keypoint stream of the recipe for
small corpora, in place of heatmaps in whose 16 pixels a mouth is lost.
Points have no maps: there are no connections, and the pyramid is the video stream's.
Stage 1 is video_slr_quickstart.py and keypoint_slr_quickstart.py.
"""

_base_ = ['twostream_slr_toy.py']
train_cfg = dict(max_epochs=7, val_interval=7)
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
# What is trained to the end moves slowly; the video stream is not.
optim_wrapper = dict(
    paramwise_cfg=dict(_delete_=True, custom_keys={'keypoint': dict(lr_mult=0.3)})
)
