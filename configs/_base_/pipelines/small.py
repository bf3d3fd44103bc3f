"""Few signers: clips measured by the signer, other people made of those there are."""

video_size = 112
sample = dict(type='SampleRhythm', scale=(0.7, 1.4), rhythm=0.3)
test_sample = dict(type='SampleClip', stride=1, test=True)
# As far as hands go; a wider box leaves fewer pixels for them.
crop = dict(type='SignerCrop', size=3.0)
resize = dict(type='ClipResize', size=video_size)
shift = dict(type='ShiftStart')
warp = dict(type='ClipWarp', degrees=20, scale=0.3, aspect=0.2, shear=0.2)
drop = dict(type='DropPoints')
hold = dict(type='HoldLast', frames=8)
# As far as one clip goes, and what is done to a whole sentence: SplicedSigns joins
# clips in between.
keypoint_clip_pipeline = [dict(type='LoadClip', frames=False), sample, crop]
keypoint_sentence_pipeline = [shift, warp, drop, hold, dict(type='PackClip')]
keypoint_train_pipeline = [*keypoint_clip_pipeline, *keypoint_sentence_pipeline]
keypoint_test_pipeline = [
    dict(type='LoadClip', frames=False),
    test_sample,
    crop,
    hold,
    dict(type='PackClip'),
]
train_pipeline = [
    dict(type='LoadClip'),
    sample,
    dict(type='DecodeClip'),
    crop,
    resize,
    warp,
    drop,
    dict(type='ClipColorJitter', prob=0.8),
    dict(type='ClipErase'),
    hold,
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip'),
    test_sample,
    dict(type='DecodeClip'),
    crop,
    resize,
    hold,
    dict(type='PackClip'),
]
