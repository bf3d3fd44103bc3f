"""Row 1 of the quickstart's ablation: the video stream alone."""

_base_ = ['../../video_slr_quickstart.py']
