"""Keypoints alone, for a corpus of your own: few hundred clips of a few signers."""

_base_ = ['_base_/keypoint_small.py']
# With CTC from the beginning some signs are ranked first and never said.
default_hooks = dict(flat_start=dict(type='FlatStartHook'))
