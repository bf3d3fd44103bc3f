"""How the kernels share their work: by rows of channels, read in pieces of 16 bytes."""

import functools

import triton
import triton.language as tl

# Rows are read in pieces of 16 bytes, which is known of channels in units of 8.
UNIT = 8
# Of a row, at most: 128 bytes in 16 bit.
_MOST_CHANNELS = 64


def kernel(*integers: str):
    """``triton.jit``, that compiles once for all values of these arguments."""
    return functools.partial(triton.jit, do_not_specialize=integers)


def in_units(*counts: int) -> int:
    """What channels and strides are counted in: ``UNIT``, else 1."""
    return 1 if any(count % UNIT for count in counts) else UNIT


def width_of(channels: int) -> int:
    """Channels of a program, a power of two."""
    return min(1 << (channels - 1).bit_length(), _MOST_CHANNELS)


def ceil_divided(count: int, size: int) -> int:
    return -(-count // size)


@triton.jit
def channels_of(channels, wide: tl.constexpr):
    """Those of a program, and which of them there are."""
    c = tl.program_id(1) * wide + tl.arange(0, wide)
    return c, c < channels


@triton.jit
def places_of(places, at_once: tl.constexpr):
    """Those of a program, and which of them there are."""
    place = tl.program_id(0) * at_once + tl.arange(0, at_once)
    return place, place < places


@triton.jit
def read(pointers, valid):
    """As float32; 0 where nothing is read."""
    return tl.load(pointers, mask=valid, other=0.0).to(tl.float32)
