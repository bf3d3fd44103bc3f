"""Row 2 of the ablation on CSL-Daily: the keypoint stream alone."""

_base_ = ['../../keypoint_slr_csl.py']
