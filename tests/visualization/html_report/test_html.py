from mmsign.visualization.html_report.html import Html, bar, strip, table, tag, text


def test_everything_from_outside_is_escaped():
    assert text('<b>&"') == '&lt;b&gt;&amp;&quot;'
    assert text(Html('<b>')) == '<b>'
    assert tag('a', '<x>', href='"><script>') == (
        '<a href="&quot;&gt;&lt;script&gt;">&lt;x&gt;</a>'
    )


def test_attributes():
    found = tag('p', class_='x', data_find='y', aria_live=None, hidden='')
    assert found == '<p class="x" data-find="y" hidden=""></p>'


def test_table():
    found = table(('name', 'n'), [('<a>', 1)], 'All')
    assert '<caption>All</caption>' in found
    assert '<th scope="row">&lt;a&gt;</th><td>1</td>' in found


def test_bar_stays_inside():
    assert '--part:100.0%' in bar(250) and '>250.0<' in bar(250)
    assert '--part:12.5%' in bar(12.5)


def test_strip():
    found = strip('video', [('A', 'A'), ('B', 'C'), ('D', None), (None, '<E>')])
    assert '<span class="pair C"><span>A</span><span>A</span></span>' in found
    assert (
        '<span class="pair S"><span>B</span><span>C</span><abbr title="subst' in found
    )
    assert '<span>D</span><span class="none">–</span><abbr title="deleted">D<' in found
    assert '<span class="none">–</span><span>&lt;E&gt;</span><abbr title="ins' in found
    assert 'no glosses' in strip('video', [])
