"""Keypoints alone, for a corpus of your own: few hundred clips of a few signers."""

_base_ = [
    '_base_/datasets/folder.py',
    '_base_/pipelines/small.py',
    '_base_/schedules/adamw_small.py',
    '_base_/runtime.py',
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
