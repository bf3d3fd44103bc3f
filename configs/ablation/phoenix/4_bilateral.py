"""Row 4 of the ablation on Phoenix-2014: row 5 without the sign pyramid."""

_base_ = ['5_pyramid.py']
model = dict(pyramid=None)
