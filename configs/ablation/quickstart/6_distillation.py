"""Row 6 of the quickstart's ablation: the quickstart's network, complete."""

_base_ = ['../../twostream_slr_quickstart.py']
