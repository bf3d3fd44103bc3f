"""What turns the runner's wheels: hooks, and the way from a config to a run."""

from . import hooks
from .optimizers import FusedAdam
from .schedulers import WarmUpLR
