"""Posteriors of one clip: the probabilities of every output, step by step.

Symbols: T' output steps, V gloss classes with the blank. Times are frames of the
source video.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from torch import Tensor

from mmsign.decoding import StepClock, align_labellings
from mmsign.errors import UnknownGlossError
from mmsign.vocab import GlossVocabulary

AVERAGE = 'average'
Span = tuple[float, float]


@dataclass(frozen=True)
class ClipPosteriors:
    """The probabilities of every gloss and the blank, by output.

    Attributes:
        vocab: Names of the classes.
        probabilities: By output (T', V), valid steps only.
        edges: (T' + 1,) where the steps start and the last one ends, in frames.
    """

    vocab: GlossVocabulary
    probabilities: Mapping[str, np.ndarray]
    edges: np.ndarray

    @classmethod
    def of(
        cls, vocab: GlossVocabulary, log_probs: Mapping[str, Tensor], clock: StepClock
    ) -> ClipPosteriors:
        """From natural log-probabilities (≥ T', V) by output, on the CPU, and the
        clock of their steps."""
        steps = clock.valid_steps
        probabilities = {k: x[:steps].exp().numpy() for k, x in log_probs.items()}
        return cls(vocab, probabilities, clock.edges())

    def reference_spans(self, glosses: Sequence[str]) -> list[Span] | None:
        """Where the reference lies on its most probable path.

        The path is that of the average, or of the first output without one.

        Returns:
            (start, end) per gloss; None if CTC has no path for it: a gloss is not in
            the vocabulary, or there are more than steps.
        """
        first = next(iter(self.probabilities.values()))
        with np.errstate(divide='ignore'):
            log_probs = np.log(self.probabilities.get(AVERAGE, first))
        try:
            ids = self.vocab.encode(glosses, '')
            (spans,) = align_labellings([log_probs], [ids], self.vocab.blank_index)
        except (UnknownGlossError, ValueError):
            return None
        return [(self.edges[start], self.edges[end]) for start, end in spans]

    def prominent(
        self,
        output: str,
        always: Iterable[str] = (),
        least: float = 0.2,
        limit: int = 12,
    ) -> list[str]:
        """Glosses worth a curve.

        Args:
            output: Name of the output.
            always: Glosses that get one whatever their probability.
            least: Largest probability from which any other gloss gets one.
            limit: Of these others, the most probable ones.

        Returns:
            In order of the vocabulary.
        """
        peaks = self.probabilities[output].max(0, initial=0.0)
        chosen = {self.index(gloss) for gloss in always} - {None}
        others = [
            index
            for index in np.argsort(-peaks, kind='stable').tolist()
            if peaks[index] >= least and index not in chosen | {self.vocab.blank_index}
        ]
        return self.vocab.decode(sorted(chosen | set(others[:limit])))

    def curve(self, output: str, gloss: str | None) -> np.ndarray:
        """(T',) probabilities of a gloss; of the blank for None."""
        index = self.vocab.blank_index if gloss is None else self.index(gloss)
        return self.probabilities[output][:, index]

    def index(self, gloss: str) -> int | None:
        """Class of a gloss; None if the network does not know it."""
        if gloss not in self.vocab:
            return None
        return self.vocab.encode([gloss], '')[0]

    def undecoded_peaks(
        self, output: str, gloss: str, spans: Sequence[Span], least: float = 0.3
    ) -> list[tuple[float, float]]:
        """Where a gloss is likely and was not decoded.

        Args:
            output: Name of the output.
            gloss: Of the vocabulary.
            spans: Where it was decoded; peaks that touch one are left out.
            least: Probability from which there is something to see.

        Returns:
            (time of the peak, its probability) in order of time.
        """
        curve = self.curve(output, gloss)
        found = []
        for high, run in groupby(range(len(curve)), lambda step: curve[step] >= least):
            steps = list(run)
            start, end = self.edges[steps[0]], self.edges[steps[-1] + 1]
            if high and not any(a <= end and start <= b for a, b in spans):
                best = max(steps, key=lambda step: curve[step])
                middle = (self.edges[best] + self.edges[best + 1]) / 2
                found.append((float(middle), float(curve[best])))
        return found
