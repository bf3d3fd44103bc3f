"""The keypoint stream alone."""

model = dict(
    type='SingleStreamRecognizer',
    data_preprocessor=dict(heatmap_size=112),
    decoder=dict(beam_width=5),
    # keypoint=dict(pretrained=FILE, …): Kinetics-400 weights behind the first layer.
    keypoint=dict(backbone=dict(type='S3D')),
)
sync_bn = 'torch'
