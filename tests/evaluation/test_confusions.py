from mmsign.evaluation import align_words
from mmsign.evaluation.confusions import count_confusions, most_common


def test_counts():
    sentences = [('ABC', 'AXC'), ('ABC', 'AXCY'), ('AB', 'A'), ('B', 'B')]
    found = count_confusions(align_words(r, h) for r, h in sentences)
    assert found.substitutions == {('B', 'X'): 2}
    assert found.deletions == {'B': 1}
    assert found.insertions == {'Y': 1}


def test_most_common_is_the_same_every_time():
    counts = dict(b=2, a=2, c=9, d=1)
    assert most_common(counts, 3) == [('c', 9), ('a', 2), ('b', 2)]
