"""The network and its parts."""

from .backbones import MSKA, S3D, BidirectionalSlowFast, CorrNet, KeypointTCN
from .data_preprocessor import SignDataPreprocessor
from .heads import (
    GlossHead,
    GroupHead,
    JointHead,
    LinearHead,
    MBartTranslationHead,
    PathwayTemporalHead,
    PyramidHead,
    TemporalConvLSTMHead,
)
from .losses import (
    CTCLoss,
    LabelSmoothingLoss,
    SelfDistillationLoss,
    TemperatureDistillationLoss,
)
from .necks import (
    BilateralNeck,
    PointwiseBilateralNeck,
    SeparableBilateralNeck,
    SignPyramid,
)
from .recognizers import SignRecognizer, SingleStreamRecognizer, TwoStreamRecognizer
from .stages import FramewiseBackbone
from .translators import GlossToText, SignTranslator, TranslatorEnsemble
