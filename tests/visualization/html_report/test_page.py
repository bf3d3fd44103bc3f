import re
from html.parser import HTMLParser

import pytest

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


def test_well_formed_and_self_contained(first, second):
    page = report_page(load_run(first), other=load_run(second))
    elements = Elements(page)
    assert not elements.open
    assert len(set(elements.ids)) == len(elements.ids)
    assert elements.names.count('article') == 6
    for link in re.findall('href="([^"]*)"', page):
        assert link.startswith('#') and link[1:] in elements.ids
    assert 'http://' not in page and 'https://' not in page and '<img/' not in page
    assert "default-src 'none'" in page


def test_text_of_files_is_escaped(first):
    page = report_page(load_run(first))
    elements = Elements(page)
    assert elements.names.count('script') == 1 and 'img' not in elements.names
    assert 'i' not in elements.names and 'b' not in elements.names
    assert '&lt;script&gt;alert(1)&lt;/script&gt;' in page


def test_the_worst_sentence_is_the_first_link_of_its_list(first):
    page = report_page(load_run(first))
    worst = page[page.index('id="worst"') :]
    assert re.search('href="#(s\\d)"', worst).group(1) == 's3'
    assert page.index('id="worst"') < page.index('<article')


def test_comparison_is_there_only_with_two_runs(first, second):
    alone = report_page(load_run(first))
    assert (
        'Comparison' not in alone
        and '#compare' not in alone
        and 'second run better' not in alone
    )
    both = report_page(load_run(first), other=load_run(second))
    assert 'href="#compare"' in both and 'second run better' in both
    assert '<h1>first and second</h1>' in both


def test_all_outputs_can_be_opened_where_there_are_several(first, second):
    assert 'id="outputs"' in report_page(load_run(first))
    assert 'id="outputs"' not in report_page(load_run(second))


def test_output_that_is_not_there(first, second):
    with pytest.raises(ValueError, match="no output 'joint'; there are video, average"):
        report_page(load_run(first), 'joint')
    with pytest.raises(ValueError, match="second has no output 'video'"):
        report_page(load_run(first), 'video', load_run(second))
