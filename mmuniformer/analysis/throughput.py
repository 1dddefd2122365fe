r"""Speed and memory of models, side by side: throughput.py --arch s.

All rows take turns, each in a process of its own, so that what else the
machine does meets all of them. By default the authors' formulation (plain) is
the baseline.

    throughput.py --arch s b --compile                 # images, 224 x 224
    throughput.py --arch s --shape 800 1280 --dense --attention hybrid
    throughput.py --arch s --ndim 3 --peer plain mmaction --mode train
    throughput.py --config configs/det/mask_rcnn_uniformer_s.py
    throughput.py --arch s --peer plain path/to/mine.py:UniFormer

The light models and what one would take in their place, each at the input
that its accuracy was published for:

    throughput.py --arch xxs@128 xxs@160 xxs@192 xxs@224 xs@192 xs@224 \
        --batch 16 --ours fused --compile --best --plot light.png --peer \
        timm:mobilenetv4_conv_small timm:mobilenetv4_conv_medium \
        timm:fastvit_t8 timm:fastvit_t12 timm:efficientvit_b1 \
        timm:repvit_m0_9 timm:repvit_m1_0 timm:tiny_vit_5m_224.in1k \
        timm:convnextv2_atto timm:convnextv2_femto \
        timm:efficientnet_b0.ra4_e3600_r224_in1k timm:efficientnet_b1
    throughput.py --arch s b --ours fused --compile --best --plot images.png \
        --peer timm:swin_tiny_patch4_window7_224 timm:caformer_s18 \
        timm:convnext_tiny.fb_in1k
    throughput.py --ndim 3 --arch xxs@8x128x128 xxs@16x160x160 \
        xxs@32x160x160 xs@32x192x192 s@16x224x224 --peer plain \
        mmaction:x3d_s_13x6x1 mmaction:x3d_m_16x5x1 \
        mmaction:mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb \
        --plot video.png
"""

import argparse
from itertools import groupby
from pathlib import Path

import torch

from ..engine.config import exit_with
from ..errors import UserError
from ..models.arch import ARCHS, LIGHT_ARCHS
from . import measure, provenance, report
from .measure import progress
from .peers import OURS, PEERS, SAME_WEIGHTS, build
from .roofline import Peaks, work
from .rows import rows_of
from .steps import MODES, Settings

AS_TIMED = OURS[2:]  # compared in the dtype that is timed
# Not for training.
FIXED = ('fused', 'int8', 'best')
PLAIN = "the authors' formulation (plain)"
DTYPES = ('float32', 'bfloat16', 'float16')


def parse_args(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n\n')[0],
        epilog=__doc__.split('\n\n', 1)[1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('--arch', nargs='+', default=[], metavar='ARCH[@SHAPE]',
        help=f'sizes: {", ".join((*ARCHS, *LIGHT_ARCHS))}')  # fmt: skip
    add('--config', nargs='+', default=[], metavar='FILE',
        help='backbones of configs, without checkpointing')  # fmt: skip
    add('--peer', nargs='*', default=['plain'], metavar='PEER[@SHAPE]',
        help='plain: the authors\' formulation; mmaction: its own UniFormer; '
        'mmpretrain:NAME, mmaction:NAME, timm:NAME, torchvision:NAME; '
        'path/to/file.py:Class [plain]')  # fmt: skip
    add('--ours', nargs='*', default=['eager', 'fused'],
        choices=('eager', 'fused', 'half', 'int8'), help='half: bfloat16 in '
        'the backbone, float32 around it, CPU (training: by autocast); int8: '
        'linear layers by integers [eager fused]')  # fmt: skip
    add('--compile', action='store_true',
        help='fused with torch.compile, too, and half with it')  # fmt: skip
    add('--best', action='store_true', help='peers of libraries twice: as '
        'they come, and joined, channels-last, compiled')  # fmt: skip
    add('--baseline', metavar='NAME',
        help='row that ratios refer to [plain of the same size]')  # fmt: skip
    add('--ndim', type=int, choices=(2, 3), default=2,
        help='of --arch: 2 images, 3 video [2]')  # fmt: skip
    add('--shape', type=int, nargs='+', metavar='N',
        help='H W, or T H W for video; NAME@224 and NAME@16x224x224 are for '
        'one row [what a config or peer was published for; 224 224, or 16 '
        '224 224]')  # fmt: skip
    add('--batch', type=int, help='[8; clips and dense: 1]')
    add('--attention', choices=('global', 'window', 'hybrid'))
    add('--window-size', type=int)
    add('--dense', action='store_true', help='maps of all stages')
    add('--dtype', choices=DTYPES, default='float32', help='[float32]')
    add('--device', default='cpu', help='cpu, cuda, cuda:1 [cpu]')
    add('--threads', type=int, help='of the CPU [as PyTorch chooses]')
    add('--rounds', type=int, default=5, help='[5]')
    add('--seconds', type=float, default=0.5, help='of one turn [0.5]')
    add('--mode', nargs='+', choices=MODES, default=['inference'],
        help='[inference]')  # fmt: skip
    add('--no-memory', action='store_true', help='do not measure memory')
    add('--json', metavar='FILE', help='write all numbers')
    add('--plot', metavar='FILE.png',
        help='published accuracy against throughput')  # fmt: skip
    return parser.parse_args(argv)


def check_args(args):
    """Raises UserError for values that cannot be."""
    if not args.arch and not args.config:
        raise UserError('--arch, --config: wanted at least one of them')
    for name in ('batch', 'threads', 'rounds', 'seconds', 'window_size'):
        value = getattr(args, name)
        if value is not None and value <= 0:
            name = name.replace('_', '-')
            raise UserError(f'--{name}={value}: wanted a positive number')
    try:
        kind = torch.device(args.device).type
    except RuntimeError:
        kind = ''
    if kind not in ('cpu', 'cuda'):
        raise UserError(f'--device={args.device!r}: wanted cpu or cuda')
    if kind == 'cuda':
        count = torch.cuda.device_count()
        if (torch.device(args.device).index or 0) >= count:
            raise UserError(
                f'--device={args.device!r}: this PyTorch sees {count} GPUs'
            )
    for name in ('json', 'plot'):
        path = getattr(args, name)
        if path and not Path(path).resolve().parent.is_dir():
            raise UserError(f'--{name}={path!r}: no such folder')
    if args.plot and 'inference' not in args.mode:
        raise UserError(f'--plot={args.plot!r}: wanted --mode inference')


def first_of_same_weights(rows, row):
    """The row whose outputs a row is compared with, or None."""
    if row.variant in SAME_WEIGHTS:
        same = [r for r in rows if r.subject == row.subject]
        first = min(same, key=lambda r: SAME_WEIGHTS.index(r.variant))
    elif '.py:' in row.subject:
        first = rows[0]
    else:
        return None
    return first if first is not row else None


def differences(rows):
    """By name: difference from the first row of the same weights."""
    found = {}
    for row in rows:
        first = first_of_same_weights(rows, row)
        value = None
        if first and row.variant not in AS_TIMED:
            value = measure.difference(row, first)
            progress(f'{row.name}: differs from {first.name} by {value}')
        if row.variant in ('plain', 'eager', 'fused') and (value or 0) > 1e-6:
            raise RuntimeError(f'{row.name}: outputs differ by {value}')
        found[row.name] = value
    return found


def base_of(rows, row, baseline):
    """Index of the row that the ratio of a row refers to."""
    names = [r.name for r in rows]
    if baseline:
        return names.index(baseline)
    plain = f'{row.subject} plain'
    if plain in names:
        return names.index(plain)
    return next((i for i, n in enumerate(names) if n.endswith(' plain')), 0)


def settings_of(args, rows):
    """What is the same for all rows."""
    one = rows[0].backbone.get('dense') or len(rows[0].shape) == 3
    return Settings(
        args.batch or (1 if one else 8), getattr(torch, args.dtype),
        args.device, torch.get_num_threads(), args.rounds, args.seconds,
    )  # fmt: skip


def needs_of(rows, batch):
    """FLOPs and elements to move, by subject and shape."""
    needs = {}
    for (shape, _), same in groupby(rows, lambda r: (r.shape, r.subject)):
        row = next(same)
        variant = 'peer' if row.variant in PEERS else 'eager'
        model = build(row._replace(variant=variant))
        needs[row.subject, shape] = work(model, shape, batch)
    return needs


def measure_mode(rows, mode, settings, peaks, turns, args):
    """By row: seconds per step of each round, bytes and first outputs.

    A peer that cannot be compiled is left out, and said.
    """
    runners, left_out = [], []
    try:
        for row in rows:
            runners.append(measure.Runner(row, settings, mode))
            try:
                runners[-1].wait()
            except UserError as error:
                if row.variant != 'best' or row.name == args.baseline:
                    raise
                left_out.append(f'{mode}: left out: {error}')
                progress(left_out[-1])
                runners.pop().stop()
                continue
            progress(f'{mode}: {row.name} is ready')
        times = measure.race(runners, mode, settings, peaks, turns)
        sizes = [
            None if args.no_memory else runner.memory() for runner in runners
        ]
    finally:
        for runner in runners:
            runner.stop()
    found = zip(times, sizes, [runner.outs for runner in runners])
    return [runner.row for runner in runners], list(found), left_out


def results_of(rows, mode, measured, unequal, baseline, batch):
    """The results of one mode, without shares."""
    found = dict(zip((row.name for row in rows), measured))
    results = []
    for row in rows:
        times, size, outs = found[row.name]
        value = unequal[row.name]
        first = first_of_same_weights(rows, row)
        if row.variant in AS_TIMED and first:
            value = measure.greatest(outs, found[first.name][2])
        base = measured[base_of(rows, row, baseline)][0]
        results.append(dict(
            name=row.name, mode=mode, subject=row.subject,
            variant=row.variant, shape=row.shape, difference=value,
            top1=row.published.top1, views=row.published.views,
            **report.summary(times, base, batch), memory=size,
        ))  # fmt: skip
    return results


def run(args):
    """All results, as they are written to --json."""
    check_args(args)
    if args.threads:
        torch.set_num_threads(args.threads)
    rows = rows_of(args)
    torch.backends.cudnn.benchmark = True
    settings = settings_of(args, rows)
    unequal = differences(rows)
    needs = needs_of(rows, settings.batch)
    peaks = Peaks(torch.device(args.device), settings.dtype)
    results, turns, left_out = [], [], []
    for mode in args.mode:
        raced = [r for r in rows if mode != 'train' or r.variant not in FIXED]
        raced, measured, failed = measure_mode(
            raced, mode, settings, peaks, turns, args
        )
        left_out += failed
        results += results_of(
            raced, mode, measured, unequal, args.baseline, settings.batch
        )
    for result in results:
        need = needs[result['subject'], result['shape']]
        add_shares(result, need, settings, peaks)
    return dict(
        conditions(settings, peaks), modes=args.mode, rows=results,
        turns=turns, baseline=args.baseline or PLAIN, left_out=left_out,
    )  # fmt: skip


def conditions(settings, peaks):
    """What the results of a comparison hold for."""
    return dict(
        device=report.machine(settings.device, settings.threads),
        dtype=str(settings.dtype).removeprefix('torch.'),
        torch=torch.__version__, batch=settings.batch,
        rounds=settings.rounds, peak_flops=peaks.flops, peak_by=peaks.by,
        peak_bytes=peaks.bytes,
    )  # fmt: skip


def add_shares(result, needs, settings, peaks):
    """Adds FLOPs and the shares of the peaks to a result."""
    matmul, copy = peaks.shares(
        needs,
        settings.batch,
        settings.dtype.itemsize,
        settings.batch / result['per_second'],
        result['mode'] == 'train',
    )
    # Of models that read values the work is unknown.
    result['flops'] = needs[0] or None
    result['matmul_share'] = matmul or None
    result['copy_share'] = copy or None


def main(argv=None):
    """Prints the tables and writes the files."""
    args = parse_args(argv)
    try:
        results = run(args)
    except UserError as error:
        exit_with(error)
    print(report.markdown(results))
    if args.json:
        provenance.write(args.json, results)
    if args.plot and not report.plot(results, args.plot):
        progress(f'{args.plot}: empty, no row has a published accuracy')
