"""Stage 1a: the video stream alone on Phoenix-2014. Paper: 22.44 / 23.32 WER."""

_base_ = [
    '_base_/datasets/phoenix2014.py',
    '_base_/pipelines/video.py',
    '_base_/schedules/adam_cosine_40e.py',
    '_base_/runtime.py',
]
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}))

model = dict(
    type='SingleStreamRecognizer',
    vocab={{_base_.vocab}},
    data_preprocessor=dict(video_size={{_base_.video_size}}),
    decoder=dict(beam_width=5, merge_adjacent=True),
    # Add pretrained='…' to start from the published Kinetics-400 weights.
    video=dict(backbone=dict(type='S3D', in_channels=3, frozen_blocks=1)),
)
sync_bn = 'torch'
