"""What translation adds to a recognizer's config: the slt configs take it from here."""

translation_evaluator = [dict(type='WERMetric'), dict(type='BLEUMetric')]
# No frame is opened, not even to count them.
in_any_order = dict(_delete_=True, type='DefaultSampler', shuffle=True)
translation_hooks = [
    dict(type='EpochSeedHook'),
    dict(type='RecognizerCheckpointHook'),
    dict(type='TrainingReportHook'),
    dict(type='FiniteGradientsHook'),
    dict(type='CorpusChangeHook'),
    dict(type='TranslationCheckHook'),
    dict(type='CalibrationHook'),
]
# The paper's learning rates: 1e-3 for the heads, 1e-5 for mappers and mBART, whose
# output layer is its embedding once more.
translation_rates = dict(
    custom_keys=dict(mapper=dict(lr_mult=0.01), mbart=dict(lr_mult=0.01)),
    bypass_duplicate=True,
)
