"""What an inferencer returns: plain records, no tensors.

Times are seconds from the clip's first frame.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class RecognizedGloss:
    """One gloss and where it was signed.

    Attributes:
        gloss: Its name in the vocabulary.
        start, end: Half-open interval in seconds.
        confidence: Mean probability of the gloss over the output steps of its
            interval, 0 to 1. Not calibrated.
    """

    gloss: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class OutputReading:
    """What one output of the network (``video``, ``joint``, …) read.

    Attributes:
        glosses: The best sequence, in order of time.
        score: Its log-probability; see ``mmsign.decoding.Hypothesis``.
        n_best: (glosses, score) of the best sequences, best first.
    """

    glosses: tuple[RecognizedGloss, ...]
    score: float
    n_best: tuple[tuple[tuple[str, ...], float], ...]


@dataclass(frozen=True)
class ClipResult:
    """Everything about one clip.

    Attributes:
        clip: Name of the clip: its path, or ``clip-N`` for an array.
        glosses, score, n_best: Of the averaged output; see ``OutputReading``.
        sentence: In spoken language, if the network translates; else None. Of
            several translating heads it is that of their ensemble.
        translations: The sentence of each translating head.
        outputs: Every output by name, the average included.
        num_frames: Frames found in the source.
        duration: Of the clip in seconds.
        notices: What was done to unusual input, in sentences.
        timing: Seconds spent on ``load``, ``keypoints``, ``network``, ``decode``.
        error: Why the clip could not be read, if errors are recorded; else None.
    """

    clip: str
    glosses: tuple[RecognizedGloss, ...] = ()
    score: float = 0.0
    n_best: tuple[tuple[tuple[str, ...], float], ...] = ()
    sentence: str | None = None
    translations: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, OutputReading] = field(default_factory=dict)
    num_frames: int = 0
    duration: float = 0.0
    notices: tuple[str, ...] = ()
    timing: dict[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def gloss_sequence(self) -> tuple[str, ...]:
        """The names of ``glosses`` alone."""
        return tuple(gloss.gloss for gloss in self.glosses)

    def to_dict(self) -> dict:
        """Dicts, lists, strings and numbers only, ready for JSON."""
        return asdict(self)
