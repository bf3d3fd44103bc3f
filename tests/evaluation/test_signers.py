import pytest

from mmsign.evaluation import count_word_errors, sentence_errors
from mmsign.evaluation.signers import errors_by_signer, familiar_signers, signer_table


@pytest.mark.parametrize(
    ('tested', 'trained', 'named'),
    [
        (['a', 'a'], ['b'], None),
        (['a', ''], None, None),
        (['', None], ['a'], None),
        ([], ['a'], None),
        (['a', 'b', ''], ['b', 'c'], '1 of 2 signers'),
        (['a', 'b'], ['a', 'b'], '2 of 2 signers'),
        (['a'], ['a', 'b'], '1 of 1 signers'),
        (['a', ''], ['a'], 'a is the only signer'),
    ],
)
def test_who_is_known_from_training(tested, trained, named):
    found = familiar_signers(tested, trained)
    assert found.startswith(named) if named else found == ''


def test_errors_add_up_over_signers():
    signers = ['b', 'a', None, 'b']
    expected = [['X', 'Y'], ['X'], ['Y'], []]
    outputs = dict(
        video=[['X'], ['Y'], ['Y'], ['X']], joint=[['X', 'Y'], [], ['X'], []]
    )
    errors = {
        name: list(map(sentence_errors, expected, found))
        for name, found in outputs.items()
    }
    by_signer = errors_by_signer(signers, errors)
    assert list(by_signer) == ['a', 'b']
    for name, found in outputs.items():
        for signer, own in by_signer.items():
            mine = [i for i, other in enumerate(signers) if other == signer]
            assert own[name] == count_word_errors(
                [expected[i] for i in mine], [found[i] for i in mine]
            )
    rows = [line.split() for line in signer_table(by_signer).splitlines()]
    assert rows == [
        ['signer', 'clips', 'words', 'video', 'joint'],
        ['a', '1', '1', '100.00', '100.00'],
        ['b', '2', '2', '100.00', '0.00'],
    ]


def test_a_signer_without_a_word_has_no_rate():
    errors = dict(joint=[sentence_errors([], ['X'])])
    assert signer_table(errors_by_signer(['a'], errors)).split()[-1] == '–'
