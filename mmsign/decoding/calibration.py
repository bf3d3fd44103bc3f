"""What makes a confidence mean something: how often it is right.

Fitted on the development split (``mmsign.evaluation.calibration``) and kept, for each
output of a network, in the ``meta`` of its checkpoint and in its bundle.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from mmsign.errors import ConfigError, explain

CALIBRATION_KEY = 'calibration'
"""Under which a checkpoint's ``meta`` has the calibrations of its outputs."""

# Probabilities are told apart no finer: logits stay finite.
_LEAST = 1e-4


def logit(probability: float) -> float:
    """ln(p / (1 − p)), of a probability at least 10⁻⁴ away from 0 and 1."""
    p = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(p / (1 - p))


@dataclass(frozen=True)
class ConfidenceMap:
    """P(the gloss is right) = σ(slope · logit(c) + offset) (Platt scaling).

    c is the mean probability of the gloss over its steps.

    Attributes:
        slope: At least 0.
        offset: Any number.

    Examples:
        >>> timid = ConfidenceMap(slope=0.5, offset=-0.2)
        >>> round(timid(0.99), 2), ConfidenceMap()(0.75)
        (0.89, 0.75)
    """

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, confidence: float) -> float:
        """The calibrated confidence of a gloss."""
        x = self.slope * logit(confidence) + self.offset
        return 1 / (1 + math.exp(min(-x, 700.0)))  # no overflow


@dataclass(frozen=True)
class SignCalibration:
    """How single signs are told: see ``single_signs.py``.

    Attributes:
        temperature: τ, above 0.
        threshold: Below it the best sign is "none of these"; 0 to 1.
        no_sign: Added to the log-likelihood of no sign. CTC's networks fall silent
            where they are unsure, as they are of people they do not know.
        steps: Of the longest clip it was fitted on; 0 if that is not known. In a longer
            one there are more places at which a sign may seem to be.
    """

    temperature: float = 1.0
    threshold: float = 0.0
    no_sign: float = 0.0
    steps: int = 0

    def no_sign_in(self, steps: int) -> float:
        """What is added to the log-likelihood of no sign in a clip of so many steps."""
        longer = steps / self.steps if self.steps else 1.0
        return self.no_sign + math.log(max(longer, 1.0))


@dataclass(frozen=True)
class Calibration:
    """Of one output of a network.

    Attributes:
        glosses: Of the glosses of continuous signing; None if it could not be fitted.
        signs: Of single signs, likewise.
        measured: On the clips it was fitted on: numbers of clips, expected
            calibration errors and shares in percent.
        notes: What could not be fitted, and why.
    """

    glosses: ConfidenceMap | None = None
    signs: SignCalibration | None = None
    measured: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict:
        """Numbers, strings, lists and dicts only."""
        return asdict(self) | dict(notes=list(self.notes))

    @classmethod
    def from_dict(cls, values: Mapping) -> 'Calibration':
        """What ``to_dict`` wrote.

        Raises:
            ConfigError: If it is something else.

        Examples:
            >>> one = Calibration(signs=SignCalibration(2.0, 0.4), notes=('so few',))
            >>> Calibration.from_dict(one.to_dict()) == one
            True
        """
        text = f'expected a calibration as mmsign writes it, not {values!r:.200}'
        kinds = KeyError, TypeError, ValueError, AttributeError, OverflowError
        with explain(ConfigError, text, *kinds):
            glosses, signs = values['glosses'], values['signs']
            if glosses is not None:
                glosses = ConfidenceMap(*_numbers(glosses, 'slope', 'offset'))
            if signs is not None:
                names = 'temperature', 'threshold', 'no_sign'
                steps = int(signs.get('steps', 0))  # earlier versions had none
                signs = SignCalibration(*_numbers(signs, *names), steps)
            measured = {str(k): float(v) for k, v in values['measured'].items()}
            notes = tuple(map(str, values['notes']))
            if glosses is not None and glosses.slope < 0:
                raise ValueError('a falling map of confidences')
            if signs is not None and not (
                signs.temperature > 0 and 0 <= signs.threshold <= 1 and steps >= 0
            ):
                raise ValueError('an impossible temperature, threshold or length')
            return cls(glosses, signs, measured, notes)


def calibrations_from(described: Mapping | None) -> dict[str, Calibration]:
    """By output, from what a checkpoint's ``meta`` or a bundle says; {} for None.

    Raises:
        ConfigError: If it is no such description.
    """
    text = f'expected calibrations by output, not {described!r:.200}'
    with explain(ConfigError, text, AttributeError):
        found = (described or {}).items()
    return {str(name): Calibration.from_dict(one) for name, one in found}


def _numbers(values: Mapping, *names: str) -> list[float]:
    numbers = [float(values[name]) for name in names]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f'expected finite numbers, not {numbers}')
    return numbers
