"""Row 6 of the ablation on Phoenix-2014: row 7 without self-distillation."""

_base_ = ['7_distillation.py']
model = dict(distillation=None)
