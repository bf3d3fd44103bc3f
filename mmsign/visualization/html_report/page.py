"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

from collections import Counter
from importlib import resources

from mmsign.errors import ConfigError

from . import sections
from .html import Html, tag
from .run import Run, in_order_of

_LINKS = (
    ('compare', 'Comparison'),
    ('worst', 'Worst'),
    ('all', 'Sentences'),
    ('confusions', 'Confusions'),
    ('groups', 'Groups'),
)
# Nothing is fetched from anywhere, whatever the files hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def report_page(
    run: Run,
    output: str = 'average',
    other: Run | None = None,
    training: Counter | None = None,
    cleanup: str = 'none',
) -> str:
    """The page.

    Args:
        run: The run it is about.
        output: The output whose sentences are shown first and sorted by.
        other: A second run on the same clips, to be compared.
        training: How often each gloss occurs in training; None counts those of the
            run's references.
        cleanup: Name of the clean-up, to be told to the reader.

    Raises:
        ValueError: the run has no such output; the runs do not go together.
    """
    for one in filter(None, (run, other)):
        if output not in one.errors:
            raise ConfigError(
                f'{one.name} has no output {output!r}; there are '
                f'{", ".join(one.errors)}'
            )
    if other is not None:
        other = in_order_of(run, other)
    where = 'in these references' if training is None else 'in training'
    if training is None:
        training = Counter(gloss for words in run.references for gloss in words)
    parts = [
        _section('summary', 'Summary', sections.summary(run)),
        _section('worst', 'Worst sentences', sections.worst(run, output)),
        _section(
            'all',
            'Sentences',
            _controls(run, other is not None),
            sections.sentences(run, output, other),
        ),
        _section('confusions', 'Confusions', sections.confusions(run, output)),
        _section(
            'groups',
            'Where the errors are',
            sections.breakdown(run, 'signer', run.signers),
            sections.by_length(run),
            sections.by_frequency(run, training, where),
        ),
    ]
    if other is not None:
        parts.insert(
            1, _section('compare', 'Comparison', sections.comparison(run, other))
        )
    title = run.name if other is None else f'{run.name} and {other.name}'
    facts = (
        f'{len(run.clips)} sentences, clean-up {cleanup}. Sentences, worst first, are '
        f'those of the output {output}.'
    )
    anchors = [
        (anchor, name) for anchor, name in _LINKS if anchor != 'compare' or other
    ]
    return _document(title, facts, anchors, parts)


def _section(name: str, title: str, *children: Html) -> Html:
    return tag('section', tag('h2', title), *children, id=name)


def _controls(run: Run, compared: bool) -> Html:
    orders = [
        ('worst', 'worst first'),
        ('best', 'best first'),
        ('errors', 'most errors first'),
        ('length', 'longest first'),
        ('place', 'as in the file'),
    ]
    if compared:
        orders += [
            ('better', 'second run better'),
            ('poorer', 'second run poorer'),
        ]
    shown = [('all', 'all'), ('wrong', 'with errors'), ('right', 'without errors')]
    several = len(run.errors) > 1
    outputs = tag('label', Html('<input id="outputs" type="checkbox">'), ' All outputs')
    signers = [('', 'all'), *((name, name) for name in sorted(set(run.signers)))]
    find = tag(
        'label', 'Find ', Html('<input id="find" type="search" autocomplete="off">')
    )
    return tag(
        'form',
        find,
        _select('order', 'Order ', orders),
        _select('shown', 'Show ', shown),
        _select('signer', 'Signer ', signers),
        outputs if several else '',
        tag('output', '', id='count', aria_live='polite'),
        id='controls',
        hidden='',
        role='search',
    )


def _select(name: str, label: str, options: list[tuple[str, str]]) -> Html:
    choices = (tag('option', title, value=value) for value, title in options)
    return tag('label', label, tag('select', *choices, id=name))


def _document(
    title: str, facts: str, anchors: list[tuple[str, str]], parts: list[Html]
) -> str:
    folder = resources.files(__package__)
    style = folder.joinpath('style.css').read_text(encoding='utf-8')
    script = folder.joinpath('script.js').read_text(encoding='utf-8')
    legend = tag(
        'p',
        'Reference above, hypothesis below: ',
        *(
            tag('span', tag('span', word), class_=f'pair {letter}')
            for letter, word in (
                ('S', 'S substituted'),
                ('D', 'D deleted'),
                ('I', 'I inserted'),
            )
        ),
        class_='legend',
    )
    links = tag(
        'nav',
        *(tag('a', name, href=f'#{anchor}') for anchor, name in anchors),
        aria_label='sections',
    )
    head = tag(
        'head',
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        tag('title', f'{title}: recognition report'),
        tag('style', Html(style)),
    )
    header = tag('header', tag('h1', title), tag('p', facts), links, legend)
    body = tag('body', header, tag('main', *parts), tag('script', Html(script)))
    return f'<!DOCTYPE html>\n<html lang="en">{head}\n{body}</html>\n'
