"""Row 5 of the ablation on Phoenix-2014: row 6 without the joint head."""

_base_ = ['6_joint.py']
model = dict(joint=None)
