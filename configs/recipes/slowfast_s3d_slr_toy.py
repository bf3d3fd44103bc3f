"""slowfast_s3d_slr_phoenix.py on the toy corpus, narrow."""

_base_ = ['twostream_narrow_slr_toy.py']
model = dict(
    video=dict(
        backbone=dict(
            _delete_=True,
            type='BidirectionalSlowFast',
            depth=50,
            base_channels=8,
            # An eighth of so few would be one.
            channel_ratio=4,
            stage_blocks=(1, 1, 1, 1),
        ),
        output_stride=4,
    ),
    # 8, 4 and 2 pixels in both.
    bilateral=dict(type='SeparableBilateralNeck', stages=((1, 0), (2, 1), (3, 2))),
)
