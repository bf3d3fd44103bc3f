"""Row 5 of the ablation on the toy corpus: row 6 without the joint head."""

_base_ = ['6_joint.py']
model = dict(joint=None)
