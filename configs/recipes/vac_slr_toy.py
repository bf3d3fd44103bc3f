"""VAC on the toy corpus: corrnet_slr_toy.py without correlations and distillation."""

_base_ = ['corrnet_slr_toy.py']
model = dict(video=dict(backbone=dict(correlated=()), head=dict(distillation=None)))
