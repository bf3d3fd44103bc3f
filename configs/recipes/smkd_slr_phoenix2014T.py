"""VAC with SMKD's classifier on Phoenix-2014T: nothing is published."""

_base_ = ['vac_slr_phoenix2014T.py']
model = dict(video=dict(head=dict(classifier='normalised', share_classifier=True)))
