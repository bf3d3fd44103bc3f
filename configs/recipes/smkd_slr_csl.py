"""VAC with SMKD's classifier on CSL-Daily: nothing is published."""

_base_ = ['vac_slr_csl.py']
model = dict(video=dict(head=dict(classifier='normalised', share_classifier=True)))
