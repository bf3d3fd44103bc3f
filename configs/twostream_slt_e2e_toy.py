"""TwoStream-SLT on the toy corpus from frames and keypoints; S3D stays frozen.

For augmented training, and for testing without cached features.
"""

_base_ = 'twostream_slt_toy.py'
train_dataloader = dict(batch_size=8, dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(batch_size=1, dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline={{_base_.test_pipeline}}))
