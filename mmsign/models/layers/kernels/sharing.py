"""How the kernels share their work: by rows of channels, read in pieces of 16 bytes."""

import functools

import triton

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
