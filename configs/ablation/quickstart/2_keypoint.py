"""Row 2 of the quickstart's ablation: the keypoint stream alone, on points."""

_base_ = ['../../keypoint_slr_quickstart.py']
