"""The video stream alone."""

model = dict(
    type='SingleStreamRecognizer',
    decoder=dict(beam_width=5),
    # Published Kinetics-400 weights to start from: video=dict(pretrained=FILE, …).
    video=dict(backbone=dict(type='S3D', in_channels=3, frozen_blocks=1)),
)
sync_bn = 'torch'
