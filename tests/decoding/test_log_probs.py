import pytest
import torch

from mmsign.decoding.log_probs import check_shapes, check_values, top_classes


@pytest.mark.parametrize('values', [4, 12, 10**6])
@pytest.mark.parametrize('count', [1, 5, 29, 30])
def test_top_classes_is_a_stable_sort(values, count):
    generator = torch.Generator().manual_seed(values + count)
    log_probs = -torch.randint(0, values, (3, 50, 30), generator=generator) / values
    classes, scores = top_classes(log_probs, [50] * 3, count)
    expected = log_probs.sort(dim=-1, descending=True, stable=True)
    assert classes == expected.indices[..., :count].tolist()
    assert scores == expected.values[..., :count].tolist()


def test_tie_at_the_last_place_alone():
    # Equal values in the last place kept and the first left out, nowhere else.
    for seed in range(50):
        order = torch.randperm(40, generator=torch.Generator().manual_seed(seed))
        log_probs = torch.empty(1, 1, 40)
        log_probs[0, 0, order] = -torch.arange(40.0)
        log_probs[0, 0, order[5]] = log_probs[0, 0, order[4]]
        ((classes,),), _ = top_classes(log_probs, [1], 5)
        assert classes == [*order[:4].tolist(), int(order[4:6].min())]


def test_top_classes_without_steps():
    assert top_classes(torch.zeros(2, 0, 3), [0, 0], 2) == ([[], []], [[], []])


def test_shapes_and_lengths():
    log_probs, lengths = check_shapes(torch.zeros(2, 3, 4).half(), None, 3)
    assert log_probs.dtype == torch.float32
    assert lengths == [3, 3]
    assert check_shapes(torch.zeros(2, 3, 4), torch.tensor([0, 3]), 0)[1] == [0, 3]
    with pytest.raises(ValueError, match=r'clip 1 of the batch: length 2\.5'):
        check_shapes(torch.zeros(2, 3, 4), [1, 2.5], 0)


def test_values_behind_the_length_are_not_looked_at():
    best = torch.tensor([[-1.0, torch.nan], [-1.0, -torch.inf]])
    check_values(best, [1, 1])
    check_values(torch.tensor([[0.001]]), [1])  # rounding
    with pytest.raises(ValueError, match='clip 0 of the batch, step 1: .* nan'):
        check_values(best, [2, 1])
    with pytest.raises(ValueError, match='clip 1 .* step 1: every class'):
        check_values(best, [1, 2])
    with pytest.raises(ValueError, match='expected log-probabilities'):
        check_values(torch.tensor([[0.7]]), [1])
