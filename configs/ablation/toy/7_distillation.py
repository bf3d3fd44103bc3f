"""Row 7 of the ablation on the toy corpus: TwoStream-SLR, complete."""

_base_ = ['../../twostream_slr_toy.py']
