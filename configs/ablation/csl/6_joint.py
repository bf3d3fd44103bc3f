"""Row 6 of the ablation on CSL-Daily: row 7 without self-distillation."""

_base_ = ['7_distillation.py']
model = dict(distillation=None)
