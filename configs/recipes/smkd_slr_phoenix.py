"""VAC with SMKD's classifier on Phoenix-2014. Published: 19.8 / 20.5 WER."""

_base_ = ['vac_slr_phoenix.py']
model = dict(video=dict(head=dict(classifier='normalised', share_classifier=True)))
