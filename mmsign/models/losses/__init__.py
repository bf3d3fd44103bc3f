"""Terms of the training loss."""

from .ctc_loss import CTCLoss
from .label_smoothing import LabelSmoothingLoss
from .self_distillation import SelfDistillationLoss
