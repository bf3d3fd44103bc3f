"""How much signers vary and how badly keypoints are estimated."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mmsign.errors import ConfigError


@dataclass(frozen=True)
class Difficulty:
    """Sources of variation; 0 switches one off. Lengths are in shoulder widths.

    Args:
        signers: How far signers stray from the average one (build, place in the
            frame, speed, size of movements), as a multiple of the usual.
        placement: Standard deviation of a waypoint, from sign to sign.
        turning: Standard deviation of the fingers' direction, in degrees.
        keypoint_noise: Standard deviation of a keypoint's coordinates.
        hand_loss: Share of the frames in which a hand is lost.
        point_loss: Share of the single keypoints that are lost.
    """

    signers: float = 0.3
    placement: float = 0.01
    turning: float = 2.0
    keypoint_noise: float = 0.006
    hand_loss: float = 0.012
    point_loss: float = 0.004

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0:
                raise ConfigError(f'{field.name} must be 0 or more, got {value}')

    @classmethod
    def scaled(cls, level: float) -> Difficulty:
        """All sources times ``level``: 0 is a clean corpus, 1 the default one.

        Raises:
            ValueError: If ``level`` is negative, or above 5, where nothing could be
                recognised any more.
        """
        if not 0 <= level <= 5:
            raise ConfigError(f'difficulty must be between 0 and 5, got {level}')
        usual = cls()
        return cls(**{f.name: level * getattr(usual, f.name) for f in fields(cls)})
