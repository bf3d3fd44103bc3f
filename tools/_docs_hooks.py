"""What mkdocs.yml has MkDocs do besides: pages of the root, reference, formulas."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from math_core import LatexToMathML
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
LOG = logging.getLogger('mkdocs.hooks.mmsign')  # a warning ends a strict build
FENCED_FORMULA = re.compile(r'^( *)```math\n(.*?)^ *```$', re.DOTALL | re.MULTILINE)
FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\s*\\[(\[](.*?)\\[)\]]\s*</\1>', re.DOTALL
)
# Of the package itself what it says; its parts follow with their modules.
OVERVIEW = """    options:
      members: false
      show_root_heading: false
      show_root_toc_entry: false"""
FOREIGN = re.compile(
    r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=["\']?(?:https?:)?//[^\s"\'>]*'
)


def page_of(name: str) -> str:
    """README.md → index.md, CHANGELOG.md → changelog.md."""
    return 'index.md' if name == 'README.md' else name.lower()


def root_pages() -> dict[str, str]:
    """Text of each page of the root, with links as they are from the folder docs."""
    return {
        page_of(path.name): re.sub(r'\]\(docs/', '](', moved(path.read_text('utf-8')))
        for path in ROOT.glob('*.md')
    }


def moved(text: str) -> str:
    """Links to files of the root as links to their pages."""
    return re.sub(
        r'\]\((?:\.\./)?([A-Z]+\.md)', lambda found: f']({page_of(found[1])}', text
    )


def reference_pages() -> dict[str, str]:
    """A page for each package: what its modules offer."""
    pages = {}
    for init in sorted((ROOT / 'mmsign').rglob('__init__.py')):
        package = '.'.join(init.parent.relative_to(ROOT).parts)
        names = sorted(path.stem for path in init.parent.glob('[a-z]*.py'))
        parts = [f'# {package}', f'::: {package}\n{OVERVIEW}']
        parts += [f'::: {package}.{name}' for name in names]
        pages[f'reference/{package}.md'] = '\n\n'.join(parts)
    return pages


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    for entry in config.nav:
        if entry.get('Reference'):
            entry['Reference'] = [
                {page.removeprefix('reference/').removesuffix('.md'): page}
                for page in reference_pages()
            ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name, text in (root_pages() | reference_pages()).items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_) -> str:
    return FENCED_FORMULA.sub(r'\1$$\n\2\1$$', moved(markdown))


def on_page_content(text: str, **_) -> str:
    """Formulas as MathML, which browsers draw without a script."""

    convert = LatexToMathML().convert_with_local_state

    def drawn(found: re.Match) -> str:
        is_block = found[1] == 'div'
        formula = convert(html.unescape(found[2]).strip(), displaystyle=is_block)
        # The theme lets blocks that are too wide for a phone be scrolled.
        return f'<div class="arithmatex">{formula}</div>' if is_block else formula

    return FORMULA.sub(drawn, text)


def on_post_page(output: str, page, **_) -> str:
    for found in foreign(output):
        LOG.warning('%s has its readers ask another host: %s', page.url, found)
    return output


def foreign(text: str) -> Iterator[str]:
    """Tags of a page for which a browser would ask another host."""
    return (found[0] for found in FOREIGN.finditer(text))
