"""Gloss→text: no frame and no keypoint is opened."""

sentences = [dict(type='PackSentence')]
model = dict(type='GlossToText')
# No frame is opened, not even to count them.
in_any_order = dict(_delete_=True, type='DefaultSampler', shuffle=True)
g2t_hooks = dict(checkpoint=dict(save_best='gloss/BLEU-4', rule='greater'))
g2t_checks = [
    dict(type='EpochSeedHook'),
    dict(type='RecognizerCheckpointHook'),
    dict(type='TrainingReportHook'),
    dict(type='FiniteGradientsHook'),
    dict(type='CorpusChangeHook'),
    dict(type='TranslationCheckHook'),
]
# For long trainings: test the mean of the weights, over the last 500 steps or so.
g2t_averaged = [
    *g2t_checks,
    dict(
        type='EMAHook',
        ema_type='ExponentialMovingAverage',
        momentum=0.02,
        interval=10,
        begin_epoch=4,
    ),
]
