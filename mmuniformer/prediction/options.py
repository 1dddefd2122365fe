"""The options of the tools that predict or look inside: one parser."""

import argparse
import inspect
from typing import Any

from ..engine.config import Options, Parser
from ..errors import UserError
from .predictor import Predictor

YES_OR_NO = argparse.BooleanOptionalAction


def model_parser(description: str, epilog: str = '') -> Parser:
    """What every tool asks for: a model, inputs, a device."""
    parser = Parser(description=description, epilog=epilog)
    add = parser.add_argument
    add(
        'model',
        help='config (with --checkpoint), work dir, checkpoint of a training '
        'run, or name of a published file',
    )
    add(
        'sources',
        nargs='+',
        metavar='SOURCE',
        help="files, folders, patterns, lists (.txt), videos, '0' for a "
        "camera, '-' for a list on standard input",
    )
    add('--checkpoint', metavar='FILE', help='weights of the whole model')
    add('--device', help='cpu, cuda, cuda:1, ... [what there is]')
    add(
        '--cfg-options',
        nargs='+',
        action=Options,
        metavar='KEY=VALUE',
        help='change values of the config',
    )
    return parser


def add_names(parser: argparse.ArgumentParser) -> None:
    """Names of classes."""
    parser.add_argument(
        '--class-names',
        metavar='FILE',
        help='a class per line, where the weights know no names',
    )


def add_videos(parser: argparse.ArgumentParser, what: str) -> None:
    """Which parts of a video; each of them gets ``what``."""
    parser.add_argument(
        '--stride',
        type=int,
        default=1,
        help='of a video every so many frames [1]',
    )
    parser.add_argument(
        '--every',
        type=float,
        default=0,
        metavar='SECONDS',
        help=f'recognisers: {what} for each period of a video',
    )


def add_people(parser: argparse.ArgumentParser) -> None:
    """Where people are, for models of pose."""
    people = parser.add_mutually_exclusive_group()
    people.add_argument('--boxes', metavar='FILE', help='pose: people')
    people.add_argument(
        '--whole-image', action='store_true', help='pose: one person each'
    )
    people.add_argument(
        '--detector', metavar='CONFIG:CHECKPOINT', help='pose: finds people'
    )
    parser.add_argument(
        '--box-score',
        type=float,
        default=0.3,
        help='least score of people of --detector [0.3]',
    )


def add_speed(parser: argparse.ArgumentParser) -> None:
    """How fast."""
    add = parser.add_argument
    add('--batch', type=int, default=8, help='inputs at a time [8]')
    add(
        '--workers',
        type=int,
        help='processes that read [up to 4; on two cores without a GPU none '
        'unless an input takes long]',
    )
    add(
        '--half',
        action=YES_OR_NO,
        help='half precision [as the config tests]',
    )
    add('--int8', action='store_true', help='linear layers of the backbone by '
        'integers of 8 bits: a CPU with VNNI')  # fmt: skip
    add(
        '--fuse',
        action=YES_OR_NO,
        default=True,
        help='fold norms into the weights: faster, same results [yes]',
    )
    add('--compile', action='store_true', help='compile the backbone')


def predictor_of(args: argparse.Namespace, **others: Any) -> Predictor:
    """The model, with all options that were given.

    Args:
        args: Options; those that are no argument of :class:`Predictor` are
            left out.
        others: More arguments, before those of ``args``.

    Raises:
        UserError: One of them does not fit.
    """
    known = inspect.signature(Predictor).parameters
    options = {k: v for k, v in vars(args).items() if k in known}
    if options.get('class_names'):
        options['class_names'] = read_lines(options['class_names'])
    return Predictor(**{**options, **others})


def read_lines(path: str) -> list[str]:
    """The lines of a file.

    Raises:
        UserError: It cannot be read.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'--class-names={path!r}: {error}') from error
