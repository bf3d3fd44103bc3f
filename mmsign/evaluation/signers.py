"""What a score says about people: who was tested, and who of them is trained on."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from .wer import WordErrors


def familiar_signers(
    tested: Iterable[str | None], trained: Collection[str] | None
) -> str:
    """A notice if signers of a test are trained on as well.

    A network reads those whom it has seen far better than anybody else, so such a score
    does not say what to expect of others.

    Args:
        tested: Signers of the clips; empty or None where it is not known.
        trained: Signers of the training split; None if they are not known.

    Returns:
        A sentence; empty if there is nothing to say.

    Examples:
        >>> print(familiar_signers(['a', 'b', 'a'], ['b', 'c']))
        1 of 2 signers are in the training split too (b): whom the network has not seen
        it reads worse than this says
        >>> familiar_signers(['a'], ['b', 'c']), familiar_signers(['a'], None)
        ('', '')
    """
    known = set(filter(None, tested))
    both = sorted(known & set(trained or ()))
    if not both:
        return ''
    if len(both) == len(known) == len(set(trained)) == 1:
        return (
            f'{both[0]} is the only signer, in training and here: this says how well '
            f'{both[0]} is read, and nothing about anybody else'
        )
    names = ', '.join([*both[:5], *['…'][: len(both) > 5]])
    return (
        f'{len(both)} of {len(known)} signers are in the training split too ({names}): '
        'whom the network has not seen it reads worse than this says'
    )


def errors_by_signer(
    signers: Sequence[str | None], errors: Mapping[str, Sequence[WordErrors]]
) -> dict[str, dict[str, WordErrors]]:
    """Sum the errors of each signer's clips.

    Args:
        signers: Of each clip.
        errors: Of each clip, in the same order, by output.

    Returns:
        Signer, in order of the names → output → errors. Clips whose signer is not
        known are left out.
    """
    found: dict[str, dict[str, WordErrors]] = {}
    for name in sorted(set(filter(None, signers))):
        found[name] = {
            output: sum(
                (e for e, signer in zip(counts, signers) if signer == name),
                WordErrors(),
            )
            for output, counts in errors.items()
        }
    return found


def signer_table(found: Mapping[str, Mapping[str, WordErrors]]) -> str:
    """A line per signer: clips, words, and the WER of every output in percent.

    Examples:
        >>> print(signer_table({'Ann': {'joint': WordErrors(1, 2, 0, 12, 4, 2)}}))
        signer  clips  words   joint
        Ann         4     12   25.00
    """
    width = max(map(len, [*found, 'signer']))
    outputs = list(next(iter(found.values()), ()))
    wide = [max(len(output) + 1, 8) for output in outputs]
    heads = ''.join(f'{output:>{n}}' for output, n in zip(outputs, wide))
    lines = [f'{"signer":{width}}  clips  words{heads}']
    for name, errors in found.items():
        any_output = next(iter(errors.values()))
        counts = f'{any_output.sentences:7}{any_output.reference_words:7}'
        cells = ''.join(f'{_rate(errors[o]):>{n}}' for o, n in zip(outputs, wide))
        lines.append(f'{name:{width}}{counts}{cells}')
    return '\n'.join(lines)


def _rate(errors: WordErrors) -> str:
    return f'{errors.wer:.2f}' if errors.reference_words else '–'
