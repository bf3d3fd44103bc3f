"""Row 1 of the ablation on the toy corpus: the video stream alone."""

_base_ = ['../../video_slr_toy.py']
