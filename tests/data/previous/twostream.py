"""A user's own config, written for the version before; nothing is inherited."""

custom_imports = dict(imports=['mmsign'])
default_scope = 'mmaction'

data_root = 'tests/data/previous/corpus'
corpus = dict(fps=25.0, frame_size=(48, 60), licence='rendered by code: Apache-2.0')


def loader(split, pipeline, **settings):
    dataset = dict(
        type='Phoenix2014TDataset',
        data_root=data_root,
        split=split,
        keypoint_file='keypoints.safetensors',
        frames='pack.zip',
        pipeline=pipeline,
        test_mode=split != 'train',
    )
    return dict(dataset=dataset, num_workers=0, **settings)


resize = dict(type='ClipResize', size=32)
train_pipeline = [
    dict(type='LoadClip'),
    dict(type='SampleClip', scale=(0.9, 1.1)),
    dict(type='DecodeClip'),
    dict(type='ClipRandomCrop', area=(0.9, 1.0), aspect=(0.95, 1.05)),
    resize,
    dict(type='ClipColorJitter'),
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='SampleClip', test=True),
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop'),
    resize,
    dict(type='PackClip'),
]
in_order = dict(type='DefaultSampler', shuffle=False)
train_dataloader = loader(
    'train',
    train_pipeline,
    batch_size=2,
    sampler=dict(type='LengthBucketSampler', batch_size=2),
)
val_dataloader = loader('dev', test_pipeline, batch_size=1, sampler=in_order)
test_dataloader = loader('dev', test_pipeline, batch_size=1, sampler=in_order)
val_evaluator = dict(type='WERMetric')
test_evaluator = dict(type='WERMetric')

head = dict(hidden_channels=16, feedforward_channels=16)
heads = dict(head=head, pyramid_head=head)
s3d = dict(type='S3D', in_channels=3, width=0.02, norm_momentum=0.1)
# MMAction2's own network, in the shape of PoseC3D.
slow_only = dict(
    type='ResNet3dSlowOnly',
    in_channels=79,
    depth=18,
    base_channels=4,
    num_stages=3,
    out_indices=(2,),
    stage_blocks=(1, 1, 1),
    conv1_stride_s=1,
    pool1_stride_s=1,
    inflate=(0, 1, 1),
    spatial_strides=(2, 2, 2),
    temporal_strides=(1, 1, 2),
    dilations=(1, 1, 1),
)
model = dict(
    type='TwoStreamRecognizer',
    vocab=dict(dataset='Phoenix2014TDataset', data_root=data_root),
    data_preprocessor=dict(
        video_size=32,
        heatmap_size=16,
        sigma=3.0,
        heatmap_range=(0.0, 1.0),
        min_padding=8,
        memory_format='channels_last_3d',
    ),
    decoder=dict(beam_width=5),
    video=dict(backbone=s3d, **heads),
    keypoint=dict(backbone=slow_only, output_stride=4, **heads),
    bilateral=dict(
        type='PointwiseBilateralNeck', stages=((1, 0), (2, 1), (3, 2)), init_gain=0.1
    ),
    pyramid=dict(type='SignPyramid', levels=3, norm_momentum=0.1),
    joint=dict(type='JointHead', **head),
    distillation=dict(type='SelfDistillationLoss'),
)

# Plain SGD keeps nothing beside the weights: the checkpoint stays small.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1e-4))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=4, by_epoch=True)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=1),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='SafeCheckpointHook',
        max_keep_ckpts=1,
        save_best='average/WER',
        rule='less',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SignVisualizationHook', enable=False, num_clips=4),
)
visualizer = dict(type='SignVisualizer', vis_backends=[dict(type='LocalVisBackend')])
custom_hooks = [
    dict(type='EpochSeedHook'),
    dict(type='RecognizerCheckpointHook'),
    dict(type='TrainingReportHook'),
    dict(type='FiniteGradientsHook'),
    dict(type='CorpusChangeHook'),
    dict(type='OutputLengthHook'),
]
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
randomness = dict(seed=0)
del loader
