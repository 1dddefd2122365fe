#!/usr/bin/env python3
"""Converts weight files: convert_checkpoint.py IN OUT [options]."""

import argparse
from pathlib import Path

import _env  # noqa: F401

from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError
from mmuniformer.weights import files, labels, published, transfer


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Rename, inflate and re-order the weights of UniFormers.'
    )
    parser.add_argument('source', metavar='IN', help='weight file to read')
    parser.add_argument(
        'target',
        metavar='OUT',
        help='file to write: .safetensors, or .pth for torch',
    )
    parser.add_argument(
        '--to',
        choices=['official', *transfer.HEADS],
        default='official',
        help="whose names the tensors get, the authors' or a host's",
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        '--ema',
        action='store_true',
        help='of a file with averaged and raw weights, take the averaged',
    )
    chosen.add_argument(
        '--raw-weights',
        action='store_true',
        help="take the raw ones; they are the default of the authors' files, "
        'the averaged ones of files trained here',
    )
    parser.add_argument(
        '--inflate',
        choices=transfer.INFLATE,
        help="turn an image model into a video model; 'average' is the "
        "authors' way",
    )
    parser.add_argument(
        '--class-order',
        choices=labels.ORDERS,
        help='give the classes of Kinetics-400 or -600 this order',
    )
    parser.add_argument(
        '--drop-head', action='store_true', help='keep the backbone alone'
    )
    parser.add_argument(
        '--force', action='store_true', help='overwrite OUT if it is there'
    )
    return parser.parse_args()


def convert(args):
    """Does what the options say, and returns it in words."""
    target = Path(args.target)
    if target.exists() and not args.force:
        raise UserError(f'{args.target!r}: is there already; see --force')
    content = files.read(args.source)
    with files.named(args.source):
        state = files.unwrap(content, args.ema, args.raw_weights)
        files.check_tensors(state, transfer.may_be_integers(state))
        files.check_whole(state)
    note = files.read_note(content)
    release = published.find(args.source)
    if release:
        note |= {'published': release.name, 'head_dim': release.head_dim}
    done = [f'{args.to} names']
    order, why = labels.head_order(state, note, release)
    if args.class_order:
        kinetics = labels.number_of_classes(state) in labels.LISTS
        if order in ('', args.class_order) or not kinetics:
            raise UserError(
                f'--class-order={args.class_order}: wanted a Kinetics file in '
                f'the other order; this is {order or "unknown"} ({why})'
            )
        state = labels.reorder(state, order, args.class_order)
        done.append(f'{args.class_order} classes')
    if order:
        note['class_order'] = args.class_order or order
    if args.inflate:
        shapes = transfer.video_shapes(state)
        state = transfer.inflate(state, shapes, args.inflate)
        done.append(f'inflated ({args.inflate})')
    if args.drop_head:
        state = transfer.backbone_only(state)
        done.append('backbone alone')
    state = transfer.to_host(state, args.to)
    wrapper = 'model' if args.to == 'official' else 'state_dict'
    files.write(target, state, wrapper, note)
    known = ', '.join(f'{k}={v}' for k, v in note.items()) or 'unknown variant'
    return (
        f'{args.source} ({known}) -> {target}: {len(state)} tensors, '
        f'{", ".join(done)}'
    )


def main():
    """Converts one file."""
    args = parse_args()
    try:
        print(convert(args))
    except UserError as error:
        exit_with(error)


if __name__ == '__main__':
    main()
