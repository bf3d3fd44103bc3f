"""Row 7 of the ablation on Phoenix-2014: TwoStream-SLR, complete."""

_base_ = ['../../twostream_slr_phoenix.py']
