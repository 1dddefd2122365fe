"""Which rows a command line asks for."""

from pathlib import Path

import torch

from ..engine.config import read_config
from ..errors import UserError
from ..models.arch import ARCHS, LIGHT_ARCHS
from ..zoo.create import NETWORKS
from .complexity import check_shape
from .peers import PEERS, Row, build, find_peer
from .scores import Published, of_arch, of_config


def split_shape(text, args, ndim=None):
    """NAME@16x224x224 -> name and shape, or that of --shape, or None."""
    name, at, size = text.partition('@')
    if not at:
        if args.shape and ndim:
            check_shape(args.shape, ndim)
        return name, args.shape and tuple(args.shape)
    try:
        shape = [int(side) for side in size.split('x')]
    except ValueError:
        shape = []
    shape = shape * 2 if len(shape) == 1 else shape
    if len(shape) not in ((ndim,) if ndim else (2, 3)) or min(shape) < 1:
        raise UserError(
            f'{text!r}: wanted NAME@{"TxHxW" if ndim == 3 else "HxW"}'
        )
    check_shape(shape, len(shape))
    return name, tuple(shape)


def subjects(args):
    """(name, backbone, shape, what is published) of sizes and configs."""
    options = {
        name: value
        for name in ('attention', 'window_size')
        if (value := getattr(args, name)) is not None
    }
    if args.dense:
        options.update(dense=True, out_indices=(0, 1, 2, 3))
    found = []
    for text in args.arch:
        name, shape = split_shape(text, args, args.ndim)
        if name not in (*ARCHS, *LIGHT_ARCHS):
            raise UserError(
                f'--arch={name!r}: wanted one of '
                f'{", ".join((*ARCHS, *LIGHT_ARCHS))}'
            )
        light = name in LIGHT_ARCHS
        kind = f'mmuniformer.UniFormer{"Light" * light}'
        shape = shape or (16, 224, 224)[3 - args.ndim :]
        known = Published() if args.dense else of_arch(name, shape)
        found.append((
            text if '@' in text else name,
            dict(options, type=kind, arch=name, ndim=args.ndim), shape, known,
        ))  # fmt: skip
    for path in args.config:
        if not Path(path).is_file():
            raise UserError(f'--config={path!r}: no such file')
        backbone = dict(read_config(path).model.get('backbone') or {})
        if backbone.get('type') not in NETWORKS:
            raise UserError(
                f'--config={path!r}: wanted a backbone of mmuniformer, got '
                f'{backbone.get("type")!r}'
            )
        backbone.pop('init_cfg', None)
        backbone.pop('with_cp', None)
        known = of_config(Path(path))
        _, shape = split_shape('', args, backbone.get('ndim', 2))
        if (shape and shape != known.shape) or options:
            known = Published(known.shape)
        found.append((
            Path(path).stem, {**backbone, **options}, shape or known.shape,
            known,
        ))  # fmt: skip
    return found


def rows_of(args):
    """All rows; what they name is known to exist."""
    found = subjects(args)
    variants = [peer for peer in args.peer if peer in ('plain', 'mmaction')]
    ours = list(args.ours)
    if args.compile:
        ours += ['compiled', *['half compiled'] * ('half' in ours)]
    rows = [
        Row(name, variant, backbone, shape, known)
        for name, backbone, shape, known in found
        for variant in (*variants, *ours)
    ]
    for text in args.peer:
        if text in ('plain', 'mmaction'):
            continue
        name, shape = split_shape(text, args)
        known = find_peer(name)
        wanted = shape or known.shape or found[0][2]
        if wanted != known.shape:
            known = Published()
        kinds = PEERS if args.best else PEERS[:1]
        rows += [Row(text, k, found[0][1], wanted, known) for k in kinds]
    names = [row.name for row in rows]
    if len(set(names)) < len(rows):
        raise UserError(f'the same row twice: {", ".join(names)}')
    if len({len(row.shape) for row in rows}) > 1:
        raise UserError('images and video in one run: wanted only one')
    if args.baseline and args.baseline not in names:
        raise UserError(
            f'--baseline={args.baseline!r}: wanted one of {", ".join(names)}'
        )
    for row in rows:
        build_checked(row)
    return rows


def build_checked(row):
    """Builds a row once, without values where this can be done."""
    own = row.variant not in (*PEERS, 'mmaction')
    with torch.device('meta' if own else 'cpu'):
        build(row)
