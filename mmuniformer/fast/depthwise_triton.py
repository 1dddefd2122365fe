"""Kernels of depth-wise convolutions of clips for GPUs, in Triton.

A map lies channels-last. A program has some channels of some groups of four
pixels side by side, of any clips and frames: a value that is read serves
several of them. Sums are in float32.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

# Groups and channels of a program, its warps.
FORWARD = 16, 64, 8
GRADIENT = 16, 64, 4
# Programs that fill a GPU a few times.
PROGRAMS = 2048


@triton.jit
def _places(first, groups, wide, total, height, width, BG: tl.constexpr):
    """Of each group: number of its first pixel, column, row, frame, if any."""
    own = first + tl.arange(0, BG)
    line = own // wide
    column = own % wide * 4
    pixel = line.to(tl.int64) * width + column
    return pixel, column, line % height, line // height % total, own < groups


@triton.jit
def _read(values, inside):
    """Values (BG, BC) in float32; 0 outside of the map."""
    return tl.load(values, mask=inside, other=0).to(tl.float32)


@triton.jit
def _beside(
    values, place, right, column, width, exists, known, C: tl.constexpr
):
    """Values (BG, BC) so many pixels to the right of those at ``place``."""
    near = column + right
    inside = exists & (near >= 0) & (near < width)
    mask = inside[:, None] & known[None, :]
    return _read(values + right * C + place, mask)


@triton.jit
def _has_line(exists, row, frame, down, later, height, total):
    """Of each group, whether the map has a line so far below and later."""
    there = exists & (row + down >= 0) & (row + down < height)
    return there & (frame + later >= 0) & (frame + later < total)


@triton.jit
def _nth(number: tl.constexpr, a, b, c, d, e):
    """One of five."""
    if number == 0:
        return a
    elif number == 1:
        return b
    elif number == 2:
        return c
    elif number == 3:
        return d
    else:
        return e


@triton.jit
def _convolve(
    x, weight, bias, out, groups, wide, total, height, width,
    C: tl.constexpr, TIMES: tl.constexpr, SIDE: tl.constexpr,
    FLIPPED: tl.constexpr, HAS_BIAS: tl.constexpr,
    BG: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """Outputs of BG groups and BC channels; weight: (places, C)."""
    channels = tl.program_id(1) * BC + tl.arange(0, BC)
    known = channels < C
    pixel, column, row, frame, exists = _places(
        tl.program_id(0) * BG, groups, wide, total, height, width, BG
    )
    place = (pixel * C)[:, None] + channels[None, :]
    a = tl.zeros((BG, BC), tl.float32)
    if HAS_BIAS:
        a += _read(bias + channels, known)[None, :]
    b, c, d = a, a, a
    for t in range(TIMES):
        later = t - TIMES // 2
        for i in tl.static_range(SIDE):
            down = i - SIDE // 2
            number = (t * SIDE + i) * SIDE
            step = C
            if FLIPPED:
                number = TIMES * SIDE * SIDE - 1 - number
                step = -C
            own = weight + number * C + channels
            v = _read(own, known)[None, :]
            w = _read(own + step, known)[None, :]
            s = _read(own + 2 * step, known)[None, :]
            y, z = s, s
            if SIDE == 5:
                y = _read(own + 3 * step, known)[None, :]
                z = _read(own + 4 * step, known)[None, :]
            there = _has_line(exists, row, frame, down, later, height, total)
            line = x + (later * height + down) * width * C
            for j in tl.static_range(SIDE + 3):
                value = _beside(
                    line, place, j - SIDE // 2, column, width, there, known, C
                )
                if j < SIDE:
                    a += value * _nth(j, v, w, s, y, z)
                if j >= 1 and j < SIDE + 1:
                    b += value * _nth(j - 1, v, w, s, y, z)
                if j >= 2 and j < SIDE + 2:
                    c += value * _nth(j - 2, v, w, s, y, z)
                if j >= 3:
                    d += value * _nth(j - 3, v, w, s, y, z)
    for j in tl.static_range(4):
        mask = (exists & (column + j < width))[:, None] & known[None, :]
        found = _nth(j, a, b, c, d, d)
        tl.store(out + j * C + place, found.to(out.dtype.element_ty), mask)


@triton.jit
def _gradient(
    grad, x, out, groups, wide, each, total, height, width,
    C: tl.constexpr, TIMES: tl.constexpr, SIDE: tl.constexpr,
    BG: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """Sums over a share of the groups, for one row of the kernel.

    out: (shares, places + 1, C); the last one, of the bias, is the sum of the
    gradient itself.
    """
    number = tl.program_id(0)
    channels = tl.program_id(1) * BC + tl.arange(0, BC)
    known = channels < C
    share = tl.program_id(2)
    later, down = number // SIDE - TIMES // 2, number % SIDE - SIDE // 2
    a = tl.zeros((BG, BC), tl.float32)
    b, c, d, e, own = a, a, a, a, a
    for tile in range(share * each, share * each + each):
        pixel, column, row, frame, exists = _places(
            tile * BG, groups, wide, total, height, width, BG
        )
        place = (pixel * C)[:, None] + channels[None, :]
        v = _beside(grad, place, 0, column, width, exists, known, C)
        w = _beside(grad, place, 1, column, width, exists, known, C)
        y = _beside(grad, place, 2, column, width, exists, known, C)
        z = _beside(grad, place, 3, column, width, exists, known, C)
        own += (v + w) + (y + z)
        there = _has_line(exists, row, frame, down, later, height, total)
        line = x + (later * height + down) * width * C
        for j in tl.static_range(SIDE + 3):
            value = _beside(
                line, place, j - SIDE // 2, column, width, there, known, C
            )
            if j < 4:
                a += value * _nth(j, v, w, y, z, z)
            if j >= 1 and j < 5:
                b += value * _nth(j - 1, v, w, y, z, z)
            if j >= 2 and j < 6:
                c += value * _nth(j - 2, v, w, y, z, z)
            if SIDE == 5 and j >= 3 and j < 7:
                d += value * _nth(j - 3, v, w, y, z, z)
            if SIDE == 5 and j >= 4:
                e += value * _nth(j - 4, v, w, y, z, z)
    last = TIMES * SIDE * SIDE
    rows = out + share * (last + 1) * C + channels
    for j in tl.static_range(SIDE):
        found = tl.sum(_nth(j, a, b, c, d, e), 0)
        tl.store(rows + (number * SIDE + j) * C, found, known)
    if number == 0:
        tl.store(rows + last * C, tl.sum(own, 0), known)


def _sizes(x: Tensor, weight: Tensor) -> tuple[Any, ...]:
    """Groups; groups in a line; T, H, W; C, sides of the kernel."""
    sizes = total, height, width = tuple(x.shape[2:])
    wide = triton.cdiv(width, 4)
    groups = x.shape[0] * total * height * wide
    return groups, wide, sizes, (x.shape[1], *weight.shape[2:4])


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, flipped: bool = False
) -> Tensor:
    """A depth-wise convolution that keeps the size.

    Args:
        x: Maps (B, C, *S), channels-last.
        weight: (C, 1, *K), sides 3 or 5; rounded to the dtype of ``x``.
        bias: (C,), or None.
        flipped: Whether the kernel is taken from its end, as for the gradient
            of ``x``.
    """
    groups, wide, sizes, sides = _sizes(x, weight)
    out = torch.empty_like(x)
    rows = weight.flatten(1).t()
    packed = torch.empty(rows.shape, dtype=x.dtype, device=x.device)
    packed.copy_(rows)
    bg, bc, warps = FORWARD
    grid = triton.cdiv(groups, bg), triton.cdiv(x.shape[1], bc)
    _convolve[grid](
        x, packed, packed if bias is None else bias, out, groups, wide,
        *sizes, *sides, flipped, bias is not None, bg, bc, num_warps=warps,
    )  # fmt: skip
    return out


def gradients(
    grad: Tensor, x: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of the weights, (C, 1, *K), and of the bias, (C,).

    Args:
        grad: Gradient of the output (B, C, *S), channels-last.
        x: Input (B, C, *S), channels-last.
        weight: Weights (C, 1, *K), whose dtype the gradients have.
    """
    groups, wide, sizes, sides = _sizes(x, weight)
    channels, times, side = sides
    bg, bc, warps = GRADIENT
    rows, blocks = times * side, triton.cdiv(channels, bc)
    tiles = triton.cdiv(groups, bg)
    each = triton.cdiv(tiles, max(PROGRAMS // (rows * blocks), 1))
    shares = triton.cdiv(tiles, each)
    out = torch.empty(
        shares, rows * side + 1, channels, device=x.device,
        dtype=torch.float32,
    )  # fmt: skip
    _gradient[rows, blocks, shares](
        grad, x, out, groups, wide, each, *sizes, *sides, bg, bc,
        num_warps=warps,
    )  # fmt: skip
    sums = out.sum(0).to(weight.dtype)
    of_weight = sums[:-1].t().contiguous().view(weight.shape)
    return of_weight, sums[-1].clone()
