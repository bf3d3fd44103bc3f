"""Row 5 of the quickstart's ablation: row 6 without self-distillation."""

_base_ = ['6_distillation.py']
model = dict(distillation=None)
