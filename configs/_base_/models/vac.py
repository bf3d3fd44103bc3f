"""ResNet-18 on every frame, temporal convolutions, BiLSTM: VAC (Min et al. 2021)."""

model = dict(
    type='SingleStreamRecognizer',
    decoder=dict(beam_width=10),
    # Frames in [-1, 1], though the weights are ImageNet's: as published.
    data_preprocessor=dict(video_rgb=True),
    video=dict(
        backbone=dict(type='ResNet', depth=18),
        pretrained='https://download.pytorch.org/models/resnet18-f37072fd.pth',
        head=dict(
            type='TemporalConvLSTMHead', classifier='linear', share_classifier=False
        ),
    ),
)
sync_bn = 'torch'
