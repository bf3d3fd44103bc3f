"""Row 6 of the ablation on the toy corpus: row 7 without self-distillation."""

_base_ = ['7_distillation.py']
model = dict(distillation=None)
