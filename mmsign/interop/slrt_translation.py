"""The translation parts of the authors' checkpoints under our names, and back.

A file with ``translation_network.…`` is of a translator (with ``vl_mapper.…`` and
heads of the recognition network) or of gloss→text pretraining. Symbols: V text
ids, G rows of the gloss table.

Both tables are numbered by files of the authors that lie beside the weights. Our
numbering follows from the vocabularies, so rows are moved; a ``record`` of how
goes into the checkpoint's meta, and the way back moves them as they were.
"""

import os
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mmsign.errors import CheckpointError
from mmsign.files import read_lines
from mmsign.text import GlossTokens
from mmsign.text.vocabulary import SPECIAL_TOKENS
from mmsign.vocab import GlossVocabulary

from .slrt_checkpoint import Converted, State, all_renamed, renamed
from .slrt_corpus import check_numbering, is_pickle, read_numbering
from .slrt_names import slrt_to_translation, translation_to_slrt

_GLOSS_TABLE = 'mbart.gloss_embedding.weight'
_TEXT_TABLE = 'mbart.network.model.shared.weight'
# The same table under other names, which some files leave out.
_TIED = (
    'mbart.network.model.encoder.embed_tokens.weight',
    'mbart.network.model.decoder.embed_tokens.weight',
    'mbart.network.lm_head.weight',
)
_BIAS = 'mbart.network.final_logits_bias'


def read_gloss_rows(path: str | os.PathLike) -> dict[str, int]:
    """Name → row of the authors' gloss table, from a pickle or one name a line.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming the file, if the rows are not 0, 1, 2, ….
    """
    if is_pickle(path):
        return read_numbering(path, str)
    rows = {name: row for row, name in enumerate(read_lines(path)) if name}
    return check_numbering(path, rows, str)


def gloss_order(
    theirs: Mapping[str, int], vocab: GlossVocabulary, language: str | None = None
) -> tuple[list[int], list[str]]:
    """Their row of each row of our gloss table; glosses they have no row for.

    Names are compared without regard to case, as theirs are small. A gloss without
    a row takes that of ``<unk>``.

    Args:
        theirs: Name → row.
        vocab: Our glosses.
        language: Name of the row that ends a sentence of glosses; None takes the
            only row that is neither a special token nor a gloss.

    Raises:
        CheckpointError: If a special row or the language is not there.
    """
    known = {name.lower(): row for name, row in theirs.items()} | dict(theirs)
    if language is None:
        named = {n.lower() for n in (*vocab.glosses, *vocab.aliases, *SPECIAL_TOKENS)}
        others = [name for name in theirs if not {name, name.lower()} & named]
        if len(others) != 1:
            raise CheckpointError(
                f'{len(others)} rows of the gloss table are neither special tokens nor '
                f'glosses ({", ".join(others[:5])}): name one by --gloss-language'
            )
        language = others[0]
    needed = (*SPECIAL_TOKENS, language)
    if missing := [name for name in needed if name not in theirs]:
        raise CheckpointError(f'the gloss table has no row {", ".join(missing)}')
    *special, end = (theirs[name] for name in needed)
    rows = [known.get(gloss, known.get(gloss.lower())) for gloss in vocab.glosses]
    unknown = [gloss for gloss, row in zip(vocab.glosses, rows) if row is None]
    unk = special[GlossTokens(vocab).unk_id]
    return [*special, *(unk if row is None else row for row in rows), end], unknown


def convert_translation(
    state: State, gloss_rows: Sequence[int], text_ids: Mapping[int, int] | None = None
) -> tuple[Converted, dict]:
    """The mapper and the mBART of a file under the names of a translation head.

    Args:
        state: As ``read_state`` returns it; other tensors are passed over.
        gloss_rows: Of ``gloss_order``.
        text_ids: Old id → new id of a pruned mBART; None leaves the text ids.

    Returns:
        The tensors, rows in our order; the record that ``to_slrt_translation``
        needs.

    Raises:
        CheckpointError: If a table and its numbering differ in size, or
            tied tables differ.
    """
    converted = renamed(state, slrt_to_translation, '')
    tensors, sources = converted.tensors, converted.sources
    if missing := {_GLOSS_TABLE, _TEXT_TABLE} - tensors.keys():
        raise CheckpointError(f'no tensor becomes {min(missing)}: it is not whole')
    shared, glosses = tensors[_TEXT_TABLE], tensors[_GLOSS_TABLE]
    for name in _TIED:
        if name in tensors and not torch.equal(tensors[name], shared):
            raise CheckpointError(
                f'{sources[name]} differs from {sources[_TEXT_TABLE]}, which it must be'
            )
    added = [name for name in (*_TIED, _BIAS) if name not in tensors]
    text_rows = None if text_ids is None else [text_ids[i] for i in sorted(text_ids)]
    for table, option, fits in (
        (_GLOSS_TABLE, '--gloss-rows', max(gloss_rows) < len(glosses)),
        (_TEXT_TABLE, '--text-ids', text_ids is None or len(text_ids) == len(shared)),
    ):
        if not fits:
            raise CheckpointError(
                f'{sources[table]} has {len(tensors[table])} rows, {option} numbers '
                'others: take the file that lies with this mBART'
            )
    left = sorted(set(range(len(glosses))) - set(gloss_rows))
    # What is not moved back row by row.
    record = dict(
        gloss_rows=list(gloss_rows),
        other_rows=left,
        other_glosses=glosses[left].clone(),
        text_rows=text_rows,
        added=added,
    )
    tensors[_GLOSS_TABLE] = glosses[list(gloss_rows)]
    if text_rows is not None:
        tensors[_TEXT_TABLE] = shared[text_rows]
        if _BIAS in tensors:
            tensors[_BIAS] = tensors[_BIAS][:, text_rows]
    tensors |= dict.fromkeys(_TIED, tensors[_TEXT_TABLE])
    tensors.setdefault(_BIAS, torch.zeros(1, len(shared)))
    sources = {name: sources.get(name, '') for name in tensors}
    return Converted(tensors, sources, {}), record


def place_in_translator(
    head: Converted, output: str, recognition: Converted, filler: State
) -> Converted:
    """The parts of a ``SignTranslator`` under its names.

    Args:
        head: Of ``convert_translation``.
        output: The recognizer's output that the head translates from.
        recognition: Of ``convert_recognizer``; the authors' translators, trained
            from features, have heads there and no backbone.
        filler: Tensors of a recognizer under our names, for what is not there.
    """
    tensors = {f'recognizer.{name}': value for name, value in filler.items()}
    sources = dict.fromkeys(tensors, '')
    for prefix, part in (('recognizer', recognition), (f'translation.{output}', head)):
        tensors |= {f'{prefix}.{name}': value for name, value in part.tensors.items()}
        sources |= {f'{prefix}.{name}': value for name, value in part.sources.items()}
    return Converted(tensors, sources, dict(recognition.left_out))


def to_slrt_translation(
    tensors: State, record: Mapping | None = None
) -> dict[str, Tensor]:
    """A translation head's tensors under the authors' names.

    Args:
        tensors: Under the names of a translation head.
        record: Of ``convert_translation``; None leaves the rows in our order: the
            special tokens, the glosses, the gloss language.

    Raises:
        CheckpointError: Naming a tensor that their network does not have.
    """
    tensors = dict(tensors)
    if record is not None:
        moved = tensors[_GLOSS_TABLE]
        rows, others = record['gloss_rows'], record['other_rows']
        table = moved.new_empty(len({*rows, *others}), *moved.shape[1:])
        # Backwards: of several glosses with the row of <unk>, <unk> itself counts.
        for ours in reversed(range(len(rows))):
            table[rows[ours]] = moved[ours]
        table[others] = record['other_glosses']
        tensors[_GLOSS_TABLE] = table
        if record['text_rows'] is not None:
            back = torch.argsort(torch.tensor(record['text_rows']))
            for name in {_TEXT_TABLE, *_TIED} & tensors.keys():
                tensors[name] = tensors[name][back]
            tensors[_BIAS] = tensors[_BIAS][:, back]
        for name in record['added']:
            tensors.pop(name, None)
    return all_renamed(tensors, translation_to_slrt)
