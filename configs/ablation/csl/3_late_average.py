"""Row 3 of the ablation on CSL-Daily: row 4 without connections."""

_base_ = ['4_bilateral.py']
model = dict(bilateral=None)
