"""Row 4 of the ablation on the toy corpus: row 5 without the sign pyramid."""

_base_ = ['5_pyramid.py']
model = dict(
    pyramid=None, video=dict(pyramid_head=None), keypoint=dict(pyramid_head=None)
)
