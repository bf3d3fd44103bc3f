"""Row 4 of the quickstart's ablation: row 5 without the joint head."""

_base_ = ['5_joint.py']
model = dict(joint=None)
