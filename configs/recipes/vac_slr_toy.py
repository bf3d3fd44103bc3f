"""VAC on the toy corpus: CorrNet's ResNet-18 without correlations, two linear
classifiers."""

_base_ = ['corrnet_slr_toy.py']
model = dict(
    video=dict(
        backbone=dict(correlated=()),
        head=dict(classifier='linear', share_classifier=False, distillation=None),
    )
)
