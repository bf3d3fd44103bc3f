"""Row 1 of the ablation on CSL-Daily: the video stream alone."""

_base_ = ['../../video_slr_csl.py']
