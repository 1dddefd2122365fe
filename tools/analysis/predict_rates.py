#!/usr/bin/env python3
"""Files per second, predict and host: predict_rates.py MODEL SOURCE...

The other side is a plain loop over the host's own inferencer, one file per
call. Both take turns in one process. Of pose both take each picture for one
person.

    predict_rates.py work_dirs/cls/uniformer_toy pictures --number 200
"""

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
from mmengine.logging import MMLogger

from mmuniformer.analysis import provenance
from mmuniformer.analysis.predict_rates import compare, files_of, markdown
from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError
from mmuniformer.prediction import models, options
from mmuniformer.tasks import TASKS


def parse_args():
    """Command line: that of predict as far as it is about speed."""
    first, _, rest = __doc__.partition('\n\n')
    parser = options.model_parser(first, rest)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add('--number', type=int, default=0, help='so many files at most [all]')
    add('--rounds', type=int, default=3, help='turns of each side [3]')
    add(
        '--list',
        action='store_true',
        help='a third row: all files in one call of the inferencer, in '
        'batches of --batch',
    )
    add('--json', metavar='FILE', help='write the results there, too')
    options.add_speed(parser)
    return parser.parse_args()


def run(args):
    """Measures; the results."""
    if args.rounds < 1:
        raise UserError(f'--rounds={args.rounds}: wanted 1 or more')
    found = models.find(args.model, args.checkpoint)
    found.cfg.merge_from_dict(args.cfg_options or {})
    pose = found.cfg.get('default_scope') == TASKS['pose'].host
    predictor = options.predictor_of(args, whole_image=pose)
    files = files_of(predictor, args.sources, args.number)
    return compare(predictor, found, files, args.rounds, args.list)


def main():
    """Prints the table."""
    args = parse_args()
    MMLogger.get_current_instance().setLevel(logging.ERROR)
    try:
        results = run(args)
    except UserError as error:
        exit_with(error)
    print(markdown(results))
    if args.json:
        provenance.write(args.json, results)


if __name__ == '__main__':
    main()
