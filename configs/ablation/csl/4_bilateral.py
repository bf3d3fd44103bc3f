"""Row 4 of the ablation on CSL-Daily: row 5 without the sign pyramid."""

_base_ = ['5_pyramid.py']
model = dict(pyramid=None)
