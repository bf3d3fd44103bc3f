"""Connections between streams, and the pyramid within one."""

from .bilateral import BilateralNeck
from .pyramid import SignPyramid

__all__ = ['BilateralNeck', 'SignPyramid']
