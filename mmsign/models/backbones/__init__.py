"""Backbones of our own; MMAction2's are used as they are."""

from .s3d import S3D
