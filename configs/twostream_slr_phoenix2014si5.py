"""Stage 2: TwoStream-SLR on Phoenix-2014, signer-independent.

Stage 1 first: video_slr and keypoint_slr of the same corpus; then name their
checkpoints with ``--cfg-options model.video.checkpoint=… model.keypoint.checkpoint=…``.
"""

_base_ = [
    '_base_/models/twostream_slr.py',
    '_base_/datasets/phoenix2014si5.py',
    '_base_/pipelines/twostream.py',
    '_base_/schedules/adam_cosine_40e.py',
    '_base_/runtime.py',
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
model = dict(
    vocab={{_base_.vocab}},
    decoder=dict(merge_adjacent={{_base_.merge_adjacent}}),
    data_preprocessor=dict(video_size={{_base_.video_size}}, sigma={{_base_.sigma}}),
)
