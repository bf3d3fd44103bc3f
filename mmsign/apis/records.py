"""What is recognized in a clip, as primitive data; times in seconds from its first
frame."""

from dataclasses import asdict, dataclass, field, replace

from mmsign.structures import SignReading, TimedGloss


@dataclass(frozen=True)
class OutputResult:
    """What one output of the network (``video``, ``joint``, …) recognized.

    Attributes:
        glosses: The best sequence, in order of time.
        score: Its log-probability; see ``mmsign.decoding.Hypothesis``.
        n_best: (glosses, score) of the best sequences, best first.
    """

    glosses: tuple[TimedGloss, ...] = ()
    score: float = 0.0
    n_best: tuple[tuple[tuple[str, ...], float], ...] = ()

    def to_dict(self) -> dict:
        """Dicts, lists, strings and numbers only."""
        return vars(self) | dict(glosses=[gloss.to_dict() for gloss in self.glosses])


@dataclass(frozen=True)
class ClipResult:
    """Everything about one clip.

    Attributes:
        clip: Name of the clip: its path, or ``clip-N`` for an array.
        sentence: In spoken language, if the network translates; else None. Of
            several translating heads it is that of their ensemble.
        translations: The sentence of each translating head.
        outputs: Every output by name, the average included.
        num_frames: Frames found in the source.
        duration: Of the clip in seconds.
        calibrated: Whether the confidences of the average's glosses are: see
            docs/inference.md.
        single_sign: The clip read as a single sign, by the average; None if that was
            not asked for, or the clip is too long.
        notices: What was done to unusual input, in sentences.
        timing: Seconds spent on ``load``, ``keypoints``, ``network``, ``decode``.
        error: Why nothing could be recognized, if errors are recorded; else None.
    """

    clip: str
    sentence: str | None = None
    translations: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, OutputResult] = field(default_factory=dict)
    num_frames: int = 0
    duration: float = 0.0
    calibrated: bool = False
    single_sign: SignReading | None = None
    notices: tuple[str, ...] = ()
    timing: dict[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def average(self) -> OutputResult:
        """The output that counts; without glosses if nothing was recognized."""
        return self.outputs.get('average', OutputResult())

    @property
    def glosses(self) -> tuple[TimedGloss, ...]:
        """The best sequence of the average, in order of time."""
        return self.average.glosses

    @property
    def gloss_sequence(self) -> tuple[str, ...]:
        """The names of ``glosses`` alone."""
        return tuple(gloss.symbol for gloss in self.glosses)

    @property
    def score(self) -> float:
        """Log-probability of that sequence."""
        return self.average.score

    @property
    def n_best(self) -> tuple[tuple[tuple[str, ...], float], ...]:
        """(glosses, score) of the best sequences of the average, best first."""
        return self.average.n_best

    def to_dict(self) -> dict:
        """Dicts, lists, strings and numbers only, ready for JSON."""
        own = asdict(replace(self, outputs={}, single_sign=None))
        if self.single_sign is not None:
            own['single_sign'] = self.single_sign.to_dict()
        own['outputs'] = {k: found.to_dict() for k, found in self.outputs.items()}
        return dict(clip=own.pop('clip')) | self.average.to_dict() | own
