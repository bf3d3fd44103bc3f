"""The sections of the report, each from a run or two to HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mmsign.evaluation.bootstrap import (
    randomization_test,
    wer_difference,
    wer_interval,
)
from mmsign.evaluation.confusions import count_confusions, most_common
from mmsign.evaluation.wer import WordErrors

from .html import Html, bar, strip, table, tag
from .run import LENGTHS, Run, bin_of, gloss_frequency, rate


def summary(run: Run) -> Html:
    """Word errors of every output, with confidence intervals."""
    rows = []
    for output in run.errors:
        total, interval = run.total(output), wer_interval(run.errors[output])
        rows.append(
            (
                output,
                bar(total.wer),
                f'{interval.low:.2f} to {interval.high:.2f}',
                total.substitutions,
                total.deletions,
                total.insertions,
                total.reference_words,
                f'{total.sentence_accuracy:.1f}',
            )
        )
    header = (
        'output',
        'WER %',
        '95 % interval',
        'S',
        'D',
        'I',
        'N',
        'sentences right %',
    )
    return table(header, rows, f'Outputs of {run.name}')


def comparison(first: Run, second: Run) -> Html:
    """Both runs on the outputs that both have."""
    rows = []
    for output in first.errors.keys() & second.errors.keys():
        pair = first.errors[output], second.errors[output]
        difference, chance = wer_difference(*pair), randomization_test(*pair)
        rows.append(
            (
                output,
                bar(first.total(output).wer),
                bar(second.total(output).wer),
                f'{difference.value:+.2f}',
                f'{difference.low:+.2f} to {difference.high:+.2f}',
                f'{chance:.4f}' if chance >= 0.0001 else 'below 0.0001',
                'yes' if chance < 0.05 else 'no',
            )
        )
    header = (
        'output',
        f'{first.name}, WER %',
        f'{second.name}, WER %',
        'difference',
        '95 % interval',
        'p',
        'significant at 5 %',
    )
    note = tag(
        'p',
        'Intervals: paired bootstrap over sentences. p: exact paired randomisation '
        'test. A negative difference means that ',
        tag('b', second.name),
        ' makes fewer errors.',
    )
    order = list(first.errors)
    rows.sort(key=lambda row: order.index(row[0]))
    return tag('div', table(header, rows, 'Two runs'), note)


def worst(run: Run, output: str, limit: int = 10) -> Html:
    """Links to the sentences with the highest error rate."""
    errors = run.errors[output]
    order = sorted(
        range(len(errors)), key=lambda i: (-rate(errors[i]), -errors[i].errors)
    )
    items = [
        tag(
            'li',
            tag('a', run.clips[index], href=f'#s{index}'),
            f' {percent(errors[index])}, {counted(errors[index].errors, "error")}',
        )
        for index in order[:limit]
        if errors[index].errors
    ]
    return tag('ol', *items) if items else tag('p', 'Every sentence is right.')


def confusions(run: Run, output: str, limit: int = 15) -> Html:
    """The most frequent errors; a button shows the sentences they are in."""
    found = count_confusions(run.alignments[output])
    tables = []
    # `data-find` is what the search of the sentences finds such an error by.
    for title, form, counts in (
        ('Substituted', '{} → {}', found.substitutions),
        ('Deleted', '{} → –', found.deletions),
        ('Inserted', '– → {}', found.insertions),
    ):
        rows = []
        for key, count in most_common(counts, limit):
            words = (key,) if isinstance(key, str) else key
            find = form.format(*words)
            button = tag('button', ' → '.join(words), type='button', data_find=find)
            rows.append((button, count))
        tables.append(
            table(('gloss', 'times'), rows, f'{title}: {sum(counts.values())}')
        )
    return tag('div', *tables, class_='columns')


def breakdown(run: Run, caption: str, keys: Sequence) -> Html:
    """WER of every output by group; keys are names, or (place, name) to be sorted."""
    groups = {output: run.grouped(output, keys) for output in run.errors}
    rows = []
    for key in sorted(set(keys)):
        first = next(iter(groups.values()))[key]
        cells = [
            bar(rate(group[key])) if group[key].reference_words else 'no glosses'
            for group in groups.values()
        ]
        name = key if isinstance(key, str) else key[1]
        rows.append((name, first.sentences, first.reference_words, *cells))
    header = (
        caption,
        'sentences',
        'glosses',
        *(f'{output}, WER %' for output in run.errors),
    )
    return table(header, rows, f'WER by {caption}')


def by_length(run: Run) -> Html:
    """WER by the number of glosses in the reference."""
    keys = [bin_of(len(reference), LENGTHS) for reference in run.references]
    return breakdown(run, 'length of the sentence', keys)


def by_frequency(run: Run, frequency: Counter, where: str) -> Html:
    """Share of glosses missed, by how often they occur."""
    found = {output: gloss_frequency(run, output, frequency) for output in run.errors}
    rows = []
    for key in next(iter(found.values())):
        count = next(iter(found.values()))[key][1]
        shares = [bar(100 * bins[key][0] / count) for bins in found.values()]
        rows.append((key[1], count, *shares))
    header = (
        f'times {where}',
        'glosses',
        *(f'{output}, missed %' for output in run.errors),
    )
    return table(header, rows, f'Glosses missed, by how often they occur {where}')


def sentences(run: Run, output: str, other: Run | None = None) -> Html:
    """Every sentence with its alignments, the worst first."""
    errors = run.errors[output]
    order = sorted(
        range(len(errors)), key=lambda i: (-rate(errors[i]), -errors[i].errors)
    )
    items = [_sentence(run, output, index, other) for index in order]
    return tag('div', *items, id='sentences')


def _sentence(run: Run, output: str, index: int, other: Run | None) -> Html:
    errors = run.errors[output][index]
    label = output if other is None else f'{run.name}, {percent(errors)}'
    strips = [strip(label, run.alignments[output][index])]
    change = 0
    if other is not None and output in other.errors:
        theirs = other.errors[output][index]
        change = theirs.errors - errors.errors
        label = f'{other.name}, {percent(theirs)}'
        strips.append(strip(label, other.alignments[output][index]))
    heads = [
        strip(
            f'{name}, {percent(run.errors[name][index])}', run.alignments[name][index]
        )
        for name in run.errors
        if name != output
    ]
    if heads:
        names = ', '.join(name for name in run.errors if name != output)
        strips.append(tag('details', tag('summary', f'Other outputs: {names}'), *heads))
    title = tag('h3', tag('a', run.clips[index], href=f'#s{index}'))
    facts = tag(
        'p',
        f'{percent(errors)} · S {errors.substitutions} · D {errors.deletions} · '
        f'I {errors.insertions} · N {errors.reference_words} · {run.signers[index]}',
        class_='facts',
    )
    return tag(
        'article',
        title,
        facts,
        *strips,
        id=f's{index}',
        tabindex=-1,
        data_place=index,
        data_wer=min(rate(errors), 1e9),
        data_errors=errors.errors,
        data_length=errors.reference_words,
        data_change=change,
        data_signer=run.signers[index],
    )


def counted(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'


def percent(errors: WordErrors) -> str:
    """``WER 12.5 %``, also of a sentence without reference words."""
    if not errors.reference_words and errors.errors:
        return 'WER undefined'
    return f'WER {rate(errors):.1f} %'
