"""Row 3 of the quickstart's ablation: row 4 without the sign pyramid."""

_base_ = ['4_pyramid.py']
model = dict(video=dict(pyramid=None, pyramid_head=None))
