"""Terms of the training loss."""

from .ctc import CTCLoss
from .divergence import (
    LabelSmoothingLoss,
    SelfDistillationLoss,
    TemperatureDistillationLoss,
)
