"""The video stream alone."""

model = dict(
    type='SingleStreamRecognizer',
    decoder=dict(beam_width=5, merge_adjacent=True),
    # Add pretrained='…' to start from the published Kinetics-400 weights.
    video=dict(backbone=dict(type='S3D', in_channels=3, frozen_blocks=1)),
)
sync_bn = 'torch'
