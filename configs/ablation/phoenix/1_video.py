"""Row 1 of the ablation on Phoenix-2014: the video stream alone."""

_base_ = ['../../video_slr_phoenix.py']
