"""Row 2 of the ablation on the toy corpus: the keypoint stream alone."""

_base_ = ['../../keypoint_slr_toy.py']
