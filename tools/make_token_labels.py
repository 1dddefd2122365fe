#!/usr/bin/env python3
"""Makes label maps for token labeling, with any classifier as the teacher.

    tools/make_token_labels.py CONFIG CHECKPOINT OUT
    torchrun --nproc-per-node=8 tools/make_token_labels.py ... \
        --launcher pytorch

CONFIG is one of a teacher of mmpretrain that ends in the mean over a map and
a linear layer. The pictures are those that it trains on. A run that was
interrupted goes on where it ended. Set `box_order='xy'` in the head of the
student: these maps are not transposed.
"""

import argparse
import io
from pathlib import Path
from typing import Any

import _env  # noqa: F401
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import barrier, get_dist_info
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.utils import ProgressBar
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from mmuniformer.checks import classes as class_checks
from mmuniformer.checks import data as data_checks
from mmuniformer.compat import whole_files
from mmuniformer.engine.config import exit_with
from mmuniformer.engine.launch import prepare_processes
from mmuniformer.errors import UserError
from mmuniformer.weights import load


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='config of the teacher')
    parser.add_argument('checkpoint', help='weights of the teacher')
    parser.add_argument('out', help='folder for the maps')
    parser.add_argument(
        '--size',
        type=int,
        default=576,
        help='side of its input; at a stride of 32 the default 576 gives '
        'the 18 cells of the authors',
    )
    parser.add_argument(
        '--top', type=int, default=5, help='classes to keep per cell [5]'
    )
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument(
        '--launcher', choices=('none', 'pytorch'), default='none'
    )
    return parser.parse_args()


def teacher(cfg: Config, path: str) -> nn.Module:
    """The classifier with its weights."""
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    load.load(model, path, starts=False)
    if not isinstance(getattr(model.head, 'fc', None), nn.Linear):
        raise UserError(
            f'model.head.type={cfg.model.head.type!r}: wanted a linear layer '
            f'`fc` on the mean of a map'
        )
    return model.to(get_device()).eval()


def pictures(cfg: Config, size: int) -> Any:
    """The training pictures, whole, as squares."""
    dataset = dict(
        cfg.train_dataloader.dataset,
        pipeline=[
            dict(type='LoadImageFromFile', imdecode_backend='pillow'),
            dict(
                type='Resize',
                scale=(size, size),
                interpolation='bicubic',
                backend='pillow',
            ),
            dict(type='PackInputs', meta_keys=('img_path',)),
        ],
    )
    return DATASETS.build(dataset)


def target(out: Path, picture: str) -> Path:
    """The file of a picture's map."""
    path = Path(picture)
    return out / path.parent.name / f'{path.stem}.pt'


@torch.no_grad()
def label_maps(model: Any, batch: dict[str, Any], top: int) -> Tensor:
    """Best scores and their classes, (B, 2, top, h, w)."""
    inputs = model.data_preprocessor(batch)['inputs']
    maps = model.extract_feat(inputs, stage='backbone')[-1]
    maps = maps[0] if isinstance(maps, (list, tuple)) else maps
    if maps.ndim != 4:
        raise UserError('the backbone gives no map (B, C, H, W)')
    logits = model.head.fc(maps.movedim(1, -1)).movedim(-1, 1)
    best = logits.topk(min(top, logits.shape[1]), 1)
    found = torch.stack([best.values, best.indices.to(logits.dtype)], 1)
    # Half precision has the integers up to 2048.
    return found.half().cpu() if logits.shape[1] <= 2048 else found.cpu()


def save(label: Tensor, path: Path) -> None:
    """Writes the whole file or nothing."""
    content = io.BytesIO()
    torch.save(label.clone(), content)
    # A million of them: what a crash of the machine loses is made again.
    whole_files.write(path, content.getbuffer(), sync=False)


def make(args: argparse.Namespace) -> None:
    """Labels this process's share of the pictures."""
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    data_checks.check_data(cfg, ('train',))
    class_checks.check_classes(cfg, ('train',))
    model = teacher(cfg, args.checkpoint)
    prepare_processes(cfg, args.launcher)
    rank, world = get_dist_info()
    dataset, out = pictures(cfg, args.size), Path(args.out)
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    todo = [i for i, p in enumerate(paths) if not target(out, p).is_file()]
    # All look at the folder before anybody writes into it.
    barrier()
    share = Subset(dataset, todo[rank::world])
    bar = ProgressBar(len(share)) if rank == 0 and len(share) else None
    loader = DataLoader(
        share,
        args.batch_size,
        num_workers=args.workers,
        collate_fn=collate,
    )
    for batch in loader:
        labels = label_maps(model, batch, args.top)
        for label, sample in zip(labels, batch['data_samples']):
            save(label, target(out, sample.img_path))
        if bar:
            bar.update(len(labels))
    barrier()
    if rank == 0:
        print(f'\n{out}: {len(todo)} maps made, {len(paths)} in all')


def collate(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch of pictures."""
    return {
        'inputs': torch.stack([s['inputs'] for s in samples]),
        'data_samples': [s['data_samples'] for s in samples],
    }


def main() -> None:
    """Makes the maps; ends with status 2 after bad input."""
    try:
        make(parse_args())
    except UserError as error:
        exit_with(error)


if __name__ == '__main__':
    main()
