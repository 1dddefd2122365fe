"""What the tools that look inside a model share: one picture per input."""

import sys
from pathlib import Path

from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError
from mmuniformer.prediction import options
from mmuniformer.prediction.models import find


def looking_parser(description, out):
    """Options of such a tool.

    Args:
        description: What it shows.
        out: Folder by default.
    """
    parser = options.model_parser(description)
    parser.add_argument(
        '--out', default=out, metavar='DIR', help=f'pictures go there [{out}]'
    )
    options.add_names(parser)
    return parser


def run(args, prepare):
    """Shows inputs one by one; ends the process with 1 if some were skipped.

    Args:
        args: Options.
        prepare: Takes the predictor; gives a function that takes a job and
            the path of its picture without a suffix, writes the picture, and
            gives what there is to say of it.
    """
    skipped = 0
    try:
        cfg = find(args.model, args.checkpoint).cfg
        predictor = options.predictor_of(
            args,
            fuse=False,
            half=False,
            workers=0,
            whole_image=cfg.get('default_scope') == 'mmpose',
        )
        show = prepare(predictor)
        jobs = predictor.jobs(predictor.found(args.sources))
        for number, job in enumerate(jobs):
            path = job.source.path
            out = Path(args.out) / f'{number:04}_{Path(path).stem}'
            try:
                if job.source.error:
                    raise UserError(job.source.error)
                text = show(job, out)
            except (UserError, OSError) as error:
                skipped += 1
                print(f'skipped {path}: {error}', file=sys.stderr)
                continue
            print(f'{path}: {text}, {out}.png')
    except UserError as error:
        exit_with(error)
    sys.exit(1 if skipped else 0)
