"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mmsign.errors import ConfigError
from mmsign.evaluation.wer import operation

from . import error_tables
from .run import Run, in_order_of, rate

_FOLDER = Path(__file__).parent


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
        ConfigError: The run has no such output; the runs do not go together.
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
    # Whatever comes from files is escaped: nothing but the package's own is safe.
    environment = Environment(
        loader=FileSystemLoader(_FOLDER, encoding='utf-8'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(operation=operation, rate=rate, own_file=_own_file)
    return environment.get_template('page.html').render(
        run=run,
        output=output,
        other=other,
        cleanup=cleanup,
        order=run.worst_first(output),
        summary=error_tables.summary(run),
        comparison=None if other is None else error_tables.comparison(run, other),
        confusions=error_tables.confusions(run, output),
        groups=[
            error_tables.breakdown(run, 'signer', run.signers),
            error_tables.by_length(run),
            error_tables.by_frequency(run, training, where),
        ],
    )


def _own_file(name: str) -> Markup:
    return Markup((_FOLDER / name).read_text(encoding='utf-8'))
