"""Row 7 of the ablation on CSL-Daily: TwoStream-SLR, complete."""

_base_ = ['../../twostream_slr_csl.py']
