"""Row 2 of the ablation on Phoenix-2014: the keypoint stream alone."""

_base_ = ['../../keypoint_slr_phoenix.py']
