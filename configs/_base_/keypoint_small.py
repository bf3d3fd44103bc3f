"""Keypoints of a few signers: what the recipes for small corpora share."""

_base_ = [
    'datasets/folder.py',
    'pipelines/small.py',
    'schedules/adamw_small.py',
    'runtime.py',
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    # As many updates as it takes until signs are said, however few the clips.
    sampler=dict(batch_size=8, at_least=480),
    dataset=dict(pipeline={{_base_.keypoint_train_pipeline}}),
)
val_dataloader = dict(
    num_workers=1, dataset=dict(pipeline={{_base_.keypoint_test_pipeline}})
)
test_dataloader = dict(
    num_workers=1, dataset=dict(pipeline={{_base_.keypoint_test_pipeline}})
)
model = dict(
    type='SingleStreamRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor=dict(keypoint_input='points', pad_multiple=4),
    decoder=dict(beam_width=5, merge_adjacent={{_base_.merge_adjacent}}),
    keypoint=dict(
        backbone=dict(type='KeypointTCN'),
        head=dict(type='LinearHead', classifier='factored'),
    ),
)
