"""Connections between streams, and the pyramid within one."""

from .bilateral import BilateralNeck, PointwiseBilateralNeck, SeparableBilateralNeck
from .pyramid import SignPyramid
