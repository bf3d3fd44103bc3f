"""The network and its parts."""

from .backbones import S3D
from .data_preprocessor import SignDataPreprocessor
from .heads import GlossHead, JointHead, MBartTranslationHead, PyramidHead
from .losses import CTCLoss, LabelSmoothingLoss, SelfDistillationLoss
from .necks import BilateralNeck, SignPyramid
from .recognizers import SingleStreamRecognizer, TwoStreamRecognizer
from .translators import GlossToText, SignTranslator, TranslatorEnsemble

__all__ = [
    'BilateralNeck',
    'CTCLoss',
    'GlossHead',
    'GlossToText',
    'JointHead',
    'LabelSmoothingLoss',
    'MBartTranslationHead',
    'PyramidHead',
    'S3D',
    'SelfDistillationLoss',
    'SignDataPreprocessor',
    'SignPyramid',
    'SignTranslator',
    'SingleStreamRecognizer',
    'TranslatorEnsemble',
    'TwoStreamRecognizer',
]
