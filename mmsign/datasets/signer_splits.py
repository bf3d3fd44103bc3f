"""Splits by signer, whatever the annotations say.

A split that names signers is all that these have signed, and nothing else; they are in
no other split. What the annotations had there of others goes to ``train``. Splits that
name none keep their clips but those of the signers who are named elsewhere.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from mmsign.errors import ConfigError, DataError
from mmsign.evaluation.signers import familiar_signers

Signers = Mapping[str, Sequence[str] | str]


def names_of(names: Sequence | str | int) -> list[str]:
    """Signers as a config names them: several, or one; a number is a name, too.

    Examples:
        >>> names_of([5, 'a']), names_of('Ann')
        (['5', 'a'], ['Ann'])
    """
    return [*map(str, names if isinstance(names, (list, tuple)) else [names])]


def split_by_signer(signers: Signers, splits: Sequence[str]) -> dict[str, str]:
    """The split of each signer who is named.

    Args:
        signers: Split → names of signers, or one name.
        splits: Those of the corpus.

    Raises:
        ConfigError: There is no such split, or a signer is named for two.

    Examples:
        >>> split_by_signer(dict(dev=['b'], test='a'), ['train', 'dev', 'test'])
        {'b': 'dev', 'a': 'test'}
    """
    found: dict[str, str] = {}
    for split, names in signers.items():
        if split not in splits:
            raise ConfigError(
                f'signers: split {split!r} is none of {", ".join(splits)}'
            )
        for name in names_of(names):
            if found.setdefault(name, split) != split:
                raise ConfigError(
                    f'signers: {name!r} is named for {found[name]} and for {split}'
                )
    return found


def clips_of_split(
    annotated: Mapping[str, Sequence[dict]],
    signers: Signers,
    split: str,
    splits: Sequence[str],
) -> list[dict]:
    """The clips of a split.

    Args:
        annotated: The clips by the split that the annotations have them in, each with
            ``signer``, '' if it is not known. A split may be missing.
        signers: As in ``split_by_signer``.
        split: Whose clips are wanted.
        splits: Those of the corpus.

    Raises:
        ConfigError: As in ``split_by_signer``.
        DataError: A signer has no clip; says who has.

    Examples:
        >>> clips = dict(train=[dict(signer='a')], test=[dict(signer='b')])
        >>> clips_of_split(clips, dict(test=['a']), 'train', ['train', 'test'])
        [{'signer': 'b'}]
    """
    home = split_by_signer(signers, splits)
    counts = count_signers(annotated)
    if unknown := [name for name in home if name not in counts]:
        raise DataError(
            f'signers: the corpus has no signer {", ".join(map(repr, unknown))}; it '
            f'has {describe_signers(counts)}'
        )

    def goes_to(listed: str, signer: str) -> str | None:
        if signer in home:
            return home[signer]
        if listed in signers:
            listed = 'train'
        # A training split that names its signers is of these alone.
        return None if listed in signers else listed

    return [
        clip
        for listed, clips in annotated.items()
        for clip in clips
        if goes_to(listed, clip['signer']) == split
    ]


def count_signers(annotated: Mapping[str, Sequence[dict]]) -> Counter[str]:
    """Clips of each signer in all splits, under '' those that say none."""
    return Counter(clip['signer'] for clips in annotated.values() for clip in clips)


def describe_signers(counts: Counter[str]) -> str:
    """The signers by name, with their clips.

    Examples:
        >>> describe_signers(Counter(dict(b=3, a=1)))
        'a (1 clip), b (3 clips)'
    """
    known = sorted(item for item in counts.items() if item[0])
    said = [f'{name} ({n} clip{"s" * (n > 1)})' for name, n in known]
    return ', '.join(said) or 'no names of signers'


def notices_on_signers(signers: Mapping[str, Counter[str]]) -> Iterator[str]:
    """What splits allow to say about people whom the network has not seen.

    Args:
        signers: By split, the clips of each signer, under '' those that say none.

    Examples:
        >>> list(notices_on_signers(dict(train=Counter(a=9), test=Counter(b=2))))
        []
    """
    counts = sum(signers.values(), Counter())
    known = sorted(counts.keys() - {''})
    if counts['']:
        yield (
            f'{counts[""]} of {counts.total()} clips say no signer: for them it cannot '
            'be told whether a split has signers of its own'
        )
    elif len(known) == 1:
        yield (
            f'{known[0]} is the only signer of the corpus: a number measured on it '
            f'says how well {known[0]} is read, and nothing about anybody else. Record '
            'others, at least for the test split'
        )
        return
    trained = signers.get('train', Counter()).keys() - {''}
    for split in [split for split in signers if split != 'train']:
        if notice := familiar_signers(signers[split], trained):
            yield f'{split}: {notice}'
