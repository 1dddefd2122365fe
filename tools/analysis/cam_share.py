#!/usr/bin/env python3
"""How far to trust maps of heat: tools/analysis/cam_share.py MODEL.

Draws pictures (or clips) of one small thing each, trains a small model of the
structure that is asked for, and says how much of the heat of Grad-CAM lies in
the box of the thing, in multiples of the share of the box's area, over 100 of
them; and the same of models with random weights. With --seed it looks at other
pictures than those by which the default method was chosen. What is there
already, data or checkpoint, is not made again.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import set_random_seed

from mmuniformer import Predictor
from mmuniformer.analysis import cam, one_thing, provenance
from mmuniformer.engine.config import Parser, exit_with
from mmuniformer.engine.launch import build_runner, replace_sync_bn
from mmuniformer.errors import UserError
from mmuniformer.zoo.names import CONFIGS

# Structure: recipe, and what differs in its backbone. In hybrid ones all but
# the last block of the third stage see windows.
MODELS_BY_NAME = {
    's': ('cls/uniformer_toy', {}),
    'xxs': ('cls/uniformer_xxs_toy', {}),
    'hybrid': (
        'cls/uniformer_toy',
        dict(
            attention='hybrid', window_size=4, arch=dict(depths=(1, 2, 4, 1))
        ),
    ),
    'video': ('video/uniformer_toy', {}),
}
LAYERS = ('blocks1', 'blocks2', 'blocks3.0')


def parse_args():
    """Command line."""
    parser = Parser(description=__doc__.partition('\n\n')[2])
    add = parser.add_argument
    add('model', choices=MODELS_BY_NAME)
    add('--out', default='cam_share', metavar='DIR', help='[cam_share]')
    add('--train', type=int, default=1600, help='so many to train on [1600]')
    add('--epochs', type=int, default=8, help='[8]')
    add('--number', type=int, default=100, help='so many to look at [100]')
    add('--seed', type=int, default=0, help='of what it looks at [0]')
    add('--train-seed', type=int, default=0, help='of the training [0]')
    add('--seeds', type=int, default=3, help='random weights [3]')
    add('--layers', nargs='+', default=LAYERS, metavar='LAYER')
    add('--methods', nargs='+', default=['hirescam', 'gradcam'])
    add('--json', metavar='FILE', help='write the numbers there, too')
    return parser.parse_args()


def config_of(name, data, folder, epochs, seed):
    """The recipe, on these data, without crops that could lose the thing."""
    recipe, backbone = MODELS_BY_NAME[name]
    cfg = Config.fromfile(CONFIGS / f'{recipe}.py')
    cfg.merge_from_dict(dict(model=dict(backbone=backbone)))
    classes = len(one_thing.WAYS if name == 'video' else one_thing.NAMES)
    head = cfg.model.get('cls_head') or cfg.model.head
    head.num_classes = classes
    if name != 'video':
        cfg.model.data_preprocessor.num_classes = classes
    tests = cfg.val_dataloader.dataset.pipeline
    sizes = 'Crop', 'ResizeEdge', 'ClipResize'
    kept = [t for t in tests if not t['type'].endswith(sizes)]
    for transform in kept:
        if transform['type'].endswith('DenseSample'):
            transform.update(clip_len=one_thing.FRAMES, frame_interval=1)
    for split in one_thing.SPLITS:
        loader = cfg[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(data)
        loader.dataset.pipeline = list(kept)
    if name == 'video':
        again = dict(type='mmuniformer.RepeatedAugment', num_repeats=1)
        *first, shape, pack = kept
        pipeline = [*first, dict(again, transforms=[shape, pack])]
    else:
        pipeline = [*kept[:-1], dict(type='RandomFlip', prob=0.5), kept[-1]]
    cfg.train_dataloader.dataset.pipeline = pipeline
    cfg.test_dataloader = cfg.val_dataloader
    cfg.optim_wrapper.type = 'OptimWrapper'  # in float32
    cfg.train_cfg.update(max_epochs=epochs, val_interval=epochs)
    for schedule in cfg.param_scheduler:
        for key in ('T_max', 'epochs'):
            if key in schedule:
                schedule[key] = epochs
    cfg.default_hooks.checkpoint = ConfigDict(
        type='CheckpointHook', interval=epochs
    )
    cfg.randomness.seed = seed
    cfg.work_dir, cfg.launcher = str(folder), 'none'
    cfg.experiment_name = f'cam_share_{name}'
    return cfg


def random_place(args, seed):
    """Where the model with random weights of a seed is."""
    return Path(args.out) / f'{args.model}_random_{seed}'


def save_random(cfg, folder, seed):
    """A work dir of the model with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    set_random_seed(seed)
    cfg = Config(cfg.to_dict())
    replace_sync_bn(cfg.model)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), folder / 'random.pth')
    cfg.dump(folder / 'config.py')


def shares(folder, data, args):
    """Top-1 and, by method and layer, ratios of the pictures of a model."""
    predictor = Predictor(str(folder), fuse=False, half=False, workers=0)
    known = json.loads((data / one_thing.BOXES).read_text())
    cases = list(known.items())[: args.number]
    paths = [str(data / path) for path, _ in cases]
    found = [p.record['label'] for p in predictor.stream(paths)]
    right = [label == case['label'] for label, (_, case) in zip(found, cases)]
    rows = []
    for method in args.methods:
        for layer in args.layers:
            looker = cam.Cam(predictor, layer, method)
            jobs = predictor.jobs(predictor.found(paths))
            pairs = [
                share(looker, job, case) for job, (_, case) in zip(jobs, cases)
            ]
            heat, area = np.array(pairs).T
            rows.append(
                dict(
                    method=method,
                    layer=layer,
                    heat=float(heat.mean()),
                    area=float(area.mean()),
                    times=float(heat.mean() / area.mean()),
                    mean_of_times=float((heat / area).mean()),
                )
            )
    return 100 * float(np.mean(right)), rows


def share(looker, job, case):
    """Share of the heat in the boxes, share of their area."""
    heat, _, _ = looker(job, case['label'])
    there = one_thing.inside(case['boxes'], heat.shape[-2:])
    total = heat.sum()
    # Nothing that speaks for the class is spread evenly.
    part = heat[there.reshape(heat.shape)].sum() / total if total else None
    return there.mean() if part is None else part, there.mean()


def main():
    """Draws, trains, looks."""
    args = parse_args()
    moving = args.model == 'video'
    data = seen = Path(args.out) / ('clips' if moving else 'pictures')
    if args.seed:
        seen = data.with_name(f'{data.name}_{args.seed}')
    folder = Path(args.out) / args.model
    if args.train_seed:
        folder = folder.with_name(f'{args.model}_trained_{args.train_seed}')
    found = []
    try:
        number = max(args.number, 200)
        one_thing.write(data, moving, args.train, number)
        if args.seed:
            one_thing.write(seen, moving, 0, number, args.seed)
        cfg = config_of(args.model, data, folder, args.epochs, args.train_seed)
        for seed in range(args.seeds):
            save_random(cfg, random_place(args, seed), seed)
        if not (folder / 'last_checkpoint').is_file():
            build_runner(Config(cfg.to_dict()), 'none').train()
        trained = [('trained', folder)]
        trained += [
            (f'random {seed}', random_place(args, seed))
            for seed in range(args.seeds)
        ]
        for weights, place in trained:
            top1, rows = shares(place, seen, args)
            for row in rows:
                row = dict(model=args.model, weights=weights, top1=top1, **row)
                found.append(row)
                print(
                    *(
                        f'{v:.3g}' if isinstance(v, float) else v
                        for v in row.values()
                    ),
                    flush=True,
                )
    except UserError as error:
        exit_with(error)
    if args.json:
        provenance.write(args.json, dict(rows=found))


if __name__ == '__main__':
    main()
