import torch
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.models.layers.lengths import ClipLengths, length_mask


def test_length_mask():
    mask = length_mask(torch.tensor([0, 2, 3]), 3)
    assert mask.tolist() == [
        [False, False, False],
        [True, True, False],
        [True, True, True],
    ]


@examples(150)
@given(st.data())
def test_any_length_has_its_share_of_the_steps(data):
    frames = data.draw(st.integers(1, 10**6))
    steps = data.draw(st.integers(1, 10**6))
    lengths = sorted(data.draw(st.lists(st.integers(0, frames), max_size=5)))
    found = ClipLengths([*lengths, frames], frames).steps(steps)
    assert found[-1] == steps  # the whole clip is the whole output
    assert found == sorted(found) and found[0] >= 0
    for length, valid in zip(lengths, found):
        # The greatest whole number of steps within the clip's own share.
        assert valid * frames <= length * steps < (valid + 1) * frames


def test_on_the_device_of_an_output():
    lengths = ClipLengths([16, 10], 16)
    found = lengths.of(torch.zeros(2, 8, 3))
    assert found.tolist() == [8, 5] and len(lengths) == 2
    assert lengths.of(torch.zeros(2, 8)) is found  # copied once
