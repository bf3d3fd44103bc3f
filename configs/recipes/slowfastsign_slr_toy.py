"""SlowFastSign on the toy corpus, narrow; all else as twostream_narrow_slr_toy.py."""

_base_ = ['corrnet_slr_toy.py']
model = dict(
    video=dict(
        backbone=dict(
            _delete_=True,
            type='BidirectionalSlowFast',
            depth=50,
            base_channels=16,
            stage_blocks=(2, 2, 2, 2),
        ),
        head=dict(type='PathwayTemporalHead'),
    )
)
