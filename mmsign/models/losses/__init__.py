"""Terms of the training loss."""

from .ctc_loss import CTCLoss
from .self_distillation import SelfDistillationLoss

__all__ = ['CTCLoss', 'SelfDistillationLoss']
