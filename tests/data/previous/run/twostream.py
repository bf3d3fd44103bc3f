corpus = dict(
    fps=25.0, frame_size=(
        48,
        60,
    ), licence='rendered by code: Apache-2.0')
custom_hooks = [
    dict(type='EpochSeedHook'),
    dict(type='RecognizerCheckpointHook'),
    dict(type='TrainingReportHook'),
    dict(type='FiniteGradientsHook'),
    dict(type='CorpusChangeHook'),
    dict(type='OutputLengthHook'),
]
custom_imports = dict(imports=[
    'mmsign',
])
data_root = 'tests/data/previous/corpus'
default_hooks = dict(
    checkpoint=dict(
        max_keep_ckpts=1,
        rule='less',
        save_best='average/WER',
        type='SafeCheckpointHook'),
    logger=dict(interval=1, type='LoggerHook'),
    param_scheduler=dict(type='ParamSchedulerHook'),
    runtime_info=dict(type='RuntimeInfoHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    timer=dict(type='IterTimerHook'),
    visualization=dict(
        enable=False, num_clips=4, type='SignVisualizationHook'))
default_scope = 'mmaction'
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
head = dict(feedforward_channels=16, hidden_channels=16)
heads = dict(
    head=dict(feedforward_channels=16, hidden_channels=16),
    pyramid_head=dict(feedforward_channels=16, hidden_channels=16))
in_order = dict(shuffle=False, type='DefaultSampler')
launcher = 'none'
load_from = 'work_dirs/pretrained.pth'
model = dict(
    bilateral=dict(
        init_gain=0.1,
        stages=(
            (
                1,
                0,
            ),
            (
                2,
                1,
            ),
            (
                3,
                2,
            ),
        ),
        type='PointwiseBilateralNeck'),
    data_preprocessor=dict(
        heatmap_range=(
            0.0,
            1.0,
        ),
        heatmap_size=16,
        memory_format='channels_last_3d',
        min_padding=8,
        sigma=3.0,
        video_size=32),
    decoder=dict(beam_width=5),
    distillation=dict(type='SelfDistillationLoss'),
    joint=dict(feedforward_channels=16, hidden_channels=16, type='JointHead'),
    keypoint=dict(
        backbone=dict(
            base_channels=4,
            conv1_stride_s=1,
            depth=18,
            dilations=(
                1,
                1,
                1,
            ),
            in_channels=79,
            inflate=(
                0,
                1,
                1,
            ),
            num_stages=3,
            out_indices=(2, ),
            pool1_stride_s=1,
            spatial_strides=(
                2,
                2,
                2,
            ),
            stage_blocks=(
                1,
                1,
                1,
            ),
            temporal_strides=(
                1,
                1,
                2,
            ),
            type='ResNet3dSlowOnly'),
        head=dict(feedforward_channels=16, hidden_channels=16),
        output_stride=4,
        pyramid_head=dict(feedforward_channels=16, hidden_channels=16)),
    pyramid=dict(levels=3, norm_momentum=0.1, type='SignPyramid'),
    type='TwoStreamRecognizer',
    video=dict(
        backbone=dict(
            in_channels=3, norm_momentum=0.1, type='S3D', width=0.02),
        head=dict(feedforward_channels=16, hidden_channels=16),
        pyramid_head=dict(feedforward_channels=16, hidden_channels=16)),
    vocab=dict(glosses=[
        'SONNE',
        'STARK',
        'WENIG',
        'WIND',
    ]))
optim_wrapper = dict(
    optimizer=dict(lr=0.0001, type='SGD'), type='OptimWrapper')
param_scheduler = [
    dict(T_max=4, by_epoch=True, type='CosineAnnealingLR'),
]
randomness = dict(seed=0)
resize = dict(size=32, type='ClipResize')
s3d = dict(in_channels=3, norm_momentum=0.1, type='S3D', width=0.02)
slow_only = dict(
    base_channels=4,
    conv1_stride_s=1,
    depth=18,
    dilations=(
        1,
        1,
        1,
    ),
    in_channels=79,
    inflate=(
        0,
        1,
        1,
    ),
    num_stages=3,
    out_indices=(2, ),
    pool1_stride_s=1,
    spatial_strides=(
        2,
        2,
        2,
    ),
    stage_blocks=(
        1,
        1,
        1,
    ),
    temporal_strides=(
        1,
        1,
        2,
    ),
    type='ResNet3dSlowOnly')
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=1,
    dataset=dict(
        data_root='tests/data/previous/corpus',
        frames='pack.zip',
        keypoint_file='keypoints.safetensors',
        pipeline=[
            dict(type='LoadClip'),
            dict(test=True, type='SampleClip'),
            dict(type='DecodeClip'),
            dict(type='ClipCenterCrop'),
            dict(size=32, type='ClipResize'),
            dict(type='PackClip'),
        ],
        split='dev',
        test_mode=True,
        type='Phoenix2014TDataset'),
    num_workers=0,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(type='WERMetric')
test_pipeline = [
    dict(type='LoadClip'),
    dict(test=True, type='SampleClip'),
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop'),
    dict(size=32, type='ClipResize'),
    dict(type='PackClip'),
]
train_cfg = dict(max_epochs=2, type='EpochBasedTrainLoop', val_interval=1)
train_dataloader = dict(
    batch_size=2,
    dataset=dict(
        data_root='tests/data/previous/corpus',
        frames='pack.zip',
        keypoint_file='keypoints.safetensors',
        pipeline=[
            dict(type='LoadClip'),
            dict(scale=(
                0.9,
                1.1,
            ), type='SampleClip'),
            dict(type='DecodeClip'),
            dict(
                area=(
                    0.9,
                    1.0,
                ),
                aspect=(
                    0.95,
                    1.05,
                ),
                type='ClipRandomCrop'),
            dict(size=32, type='ClipResize'),
            dict(type='ClipColorJitter'),
            dict(type='PackClip'),
        ],
        split='train',
        test_mode=False,
        type='Phoenix2014TDataset'),
    num_workers=0,
    sampler=dict(batch_size=2, type='LengthBucketSampler'))
train_pipeline = [
    dict(type='LoadClip'),
    dict(scale=(
        0.9,
        1.1,
    ), type='SampleClip'),
    dict(type='DecodeClip'),
    dict(area=(
        0.9,
        1.0,
    ), aspect=(
        0.95,
        1.05,
    ), type='ClipRandomCrop'),
    dict(size=32, type='ClipResize'),
    dict(type='ClipColorJitter'),
    dict(type='PackClip'),
]
val_cfg = dict(type='ValLoop')
val_dataloader = dict(
    batch_size=1,
    dataset=dict(
        data_root='tests/data/previous/corpus',
        frames='pack.zip',
        keypoint_file='keypoints.safetensors',
        pipeline=[
            dict(type='LoadClip'),
            dict(test=True, type='SampleClip'),
            dict(type='DecodeClip'),
            dict(type='ClipCenterCrop'),
            dict(size=32, type='ClipResize'),
            dict(type='PackClip'),
        ],
        split='dev',
        test_mode=True,
        type='Phoenix2014TDataset'),
    num_workers=0,
    sampler=dict(shuffle=False, type='DefaultSampler'))
val_evaluator = dict(type='WERMetric')
visualizer = dict(
    type='SignVisualizer', vis_backends=[
        dict(type='LocalVisBackend'),
    ])
work_dir = '/tmp/run'
