"""Files and tables of the two corpora whose layout the toy corpus takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmsign.errors import ConfigError

FRAMES = 'features/fullFrame-210x260px'
ANNOTATIONS = 'annotations/manual'
SPLITS = ('train', 'dev', 'test')


@dataclass(frozen=True)
class Sentence:
    """One row of an annotation table.

    Attributes:
        clip_id: Name of the clip.
        signer: Who signs.
        glosses: What is signed.
        text: The spoken-language sentence; Phoenix-2014 has none.
    """

    clip_id: str
    signer: str
    glosses: tuple[str, ...]
    text: str = ''


@dataclass(frozen=True)
class Layout:
    """Names as one corpus writes them.

    Attributes:
        header: First line of its tables.
        table: Name of a split's table.
        clip: Folder of a clip's frames under its split.
        image: Name of frame ``index``, counted from 0.
    """

    header: str
    table: str
    clip: str
    image: str

    def row(self, sentence: Sentence) -> str:
        """One line of the table."""
        fields = dict(
            id=sentence.clip_id,
            name=sentence.clip_id,
            folder=f'{sentence.clip_id}/1/*.png',
            video=f'{sentence.clip_id}/1/*.png',
            start='-1',
            end='-1',
            signer=sentence.signer,
            speaker=sentence.signer,
            annotation=' '.join(sentence.glosses),
            orth=' '.join(sentence.glosses),
            translation=sentence.text,
        )
        return '|'.join(fields[column] for column in self.header.split('|'))

    def parse(self, line: str) -> Sentence:
        """The sentence of one line of the table."""
        columns, values = self.header.split('|'), line.split('|')
        if len(values) != len(columns):
            raise ConfigError(
                f'expected {len(columns)} fields ({self.header}), got {line!r}'
            )
        row = dict(zip(columns, values, strict=True))
        return Sentence(
            clip_id=row.get('id') or row['name'],
            signer=row.get('signer') or row['speaker'],
            glosses=tuple((row.get('annotation') or row['orth']).split()),
            text=row.get('translation', ''),
        )

    def table_path(self, root: Path, split: str) -> Path:
        """Where a split's table lies."""
        return root / ANNOTATIONS / self.table.format(split=split)

    def frame_folder(self, root: Path, split: str, clip_id: str) -> Path:
        """Where a clip's frames lie."""
        return root / FRAMES / split / self.clip.format(clip_id=clip_id)


LAYOUTS = {
    'phoenix2014T': Layout(
        header='name|video|start|end|speaker|orth|translation',
        table='PHOENIX-2014-T.{split}.corpus.csv',
        clip='{clip_id}',
        image='images{number:04d}.png',
    ),
    'phoenix2014': Layout(
        header='id|folder|signer|annotation',
        table='{split}.corpus.csv',
        clip='{clip_id}/1',
        image='{clip_id}.avi_pid0_fn{index:06d}-0.png',
    ),
}
