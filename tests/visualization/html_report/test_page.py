import re
from html.parser import HTMLParser

import pytest

from mmsign.errors import ConfigError
from mmsign.visualization.html_report import load_run, report_page


class Elements(HTMLParser):
    """Names of all elements, ids, and whether all that opens is closed."""

    def __init__(self, page):
        super().__init__()
        self.names, self.ids, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.ids += [value for key, value in attrs if key == 'id']
        if tag not in ('meta', 'input'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def alone(first):
    return report_page(load_run(first))


@pytest.fixture
def both(first, second):
    return report_page(load_run(first), other=load_run(second))


def plain(html):
    """Without the white space between elements, and the marks of missing words."""
    html = html.replace('<span class="none">–</span>', '–')
    return re.sub(r'\s+(?=<)|(?<=>)\s+', '', html)


def test_well_formed_and_self_contained(both):
    assert both.startswith('<!DOCTYPE html>')
    elements = Elements(both)
    assert not elements.open
    assert len(set(elements.ids)) == len(elements.ids)
    assert elements.names.count('article') == 6
    for link in re.findall('href="([^"]*)"', both):
        assert link.startswith('#') and link[1:] in elements.ids
    assert 'http://' not in both and 'https://' not in both and '<img/' not in both
    assert "default-src 'none'" in both


def test_text_of_files_is_escaped(first):
    run = load_run(first, name='</title><b>"')
    page = report_page(run, cleanup='<i>')
    elements = Elements(page)
    assert elements.names.count('script') == 1 and 'img' not in elements.names
    assert 'i' not in elements.names and 'b' not in elements.names
    assert '<span>&lt;script&gt;alert(1)&lt;/script&gt;</span>' in page
    assert 'data-signer="&lt;b&gt;"' in page
    assert (
        'data-find="&lt;script&gt;alert(1)&lt;/script&gt; → &lt;img/src=x&gt;"' in page
    )


def test_style_and_script_are_whole(alone):
    style = alone[alone.index('<style>') : alone.index('</style>')]
    script = alone[alone.index('<script>') : alone.index('</script>')]
    assert '@media (max-width: 30rem)' in style and '&' not in style
    assert "'use strict'" in script and '=>' in script and '&&' in script


def test_tables(alone):
    page = plain(alone)
    assert '<caption>Outputs of first</caption>' in page
    assert (
        '<th scope="row">video</th><td><span class="bar" style="--part:37.5%">' in page
    )
    # A bar stays inside, the number stays what it is.
    assert '--part:62.5%">62.5</span>' in page
    assert '<td>no glosses</td>' not in page


def test_alignments_show_a_column_per_pair(alone):
    page = plain(alone)
    assert '<span class="pair C"><span>ROT</span><span>ROT</span></span>' in page
    assert '<span>BLAU</span><span>GRAU</span><abbr title="substituted">S<' in page
    assert '<span>GELB</span>–<abbr title="deleted">D<' in page
    assert '–<span>NEU</span><abbr title="inserted">I<' in page
    assert '<span class="pairs">no glosses</span>' in page


def test_sentences_come_worst_first(alone):
    worst = alone[alone.index('id="worst"') : alone.index('id="all"')]
    assert re.findall('href="#(s\\d)"', worst) == ['s3', 's4', 's2', 's0']
    assert 'WER undefined, 1 error<' in worst and 'WER 66.7 %, 2 errors<' in worst
    order = re.findall('<article id="(s\\d)"', alone)
    assert order == ['s3', 's4', 's2', 's0', 's1', 's5']
    assert 'data-change="0"' in alone and 'data-wer="1000000000.0"' in alone


def test_a_second_run_is_compared(alone, both):
    assert 'Comparison' not in alone and 'second run better' not in alone
    assert 'href="#compare"' in both and 'second run better' in both
    assert '<h1>first and second</h1>' in both
    assert re.search('id="s5"[^>]* data-change="2"', both)
    assert re.search('id="s0"[^>]* data-change="-1"', both)
    assert 'first, WER 0.0 %' in both and 'second, WER 200.0 %' in both


def test_all_outputs_can_be_opened_where_there_are_several(alone, second):
    assert 'id="outputs"' in alone and 'Other outputs: video' in alone
    single = report_page(load_run(second))
    assert 'id="outputs"' not in single and 'Other outputs' not in single


def test_nothing_wrong(first):
    run = load_run(first)
    run.errors['average'][:] = [run.errors['average'][1]] * 6
    assert 'Every sentence is right' in report_page(run)


def test_output_that_is_not_there(first, second):
    with pytest.raises(ConfigError, match='joint'):
        report_page(load_run(first), 'joint')
    with pytest.raises(ConfigError, match='second'):
        report_page(load_run(first), 'video', load_run(second))


def test_single_signs_are_shown_if_there_are_any(signs, alone):
    page = report_page(load_run(signs))
    elements = Elements(page)
    assert not elements.open and 'b' not in elements.names
    section = plain(page[page.index('<section id="signs">') :])
    assert '<th scope="row">&lt;b&gt;BLAU</th>' in section
    assert 'href="#signs"' in page and 'signs' in elements.ids
    assert 'id="signs"' not in alone and 'href="#signs"' not in alone
