"""Options that nothing reads, and the ones that were meant."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mmengine.config import Config

from ..errors import UserError
from .findings import Findings

# Options of OpenMMLab 1.x, and what became of them.
OLD = {
    'optimizer': 'optim_wrapper.optimizer',
    'optimizer_config': 'optim_wrapper',
    'optimizer_config.grad_clip': 'optim_wrapper.clip_grad',
    'lr_config': 'param_scheduler',
    'runner': 'train_cfg',
    'runner.max_epochs': 'train_cfg.max_epochs',
    'runner.max_iters': 'train_cfg.max_iters',
    'total_epochs': 'train_cfg.max_epochs',
    'total_iters': 'train_cfg.max_iters',
    'max_epochs': 'train_cfg.max_epochs',
    'max_iters': 'train_cfg.max_iters',
    'workflow': 'train_cfg and val_cfg',
    'data': 'train_dataloader, val_dataloader and test_dataloader',
    'data.samples_per_gpu': 'train_dataloader.batch_size',
    'data.workers_per_gpu': 'train_dataloader.num_workers',
    'data.train': 'train_dataloader.dataset',
    'data.val': 'val_dataloader.dataset',
    'data.test': 'test_dataloader.dataset',
    'checkpoint_config': 'default_hooks.checkpoint',
    'log_config': 'default_hooks.logger and visualizer',
    'evaluation': 'val_evaluator and train_cfg.val_interval',
    'evaluation.interval': 'train_cfg.val_interval',
    'evaluation.metric': 'val_evaluator',
    'evaluation.save_best': 'default_hooks.checkpoint.save_best',
    'dist_params': 'env_cfg.dist_cfg',
    'cudnn_benchmark': 'env_cfg.cudnn_benchmark',
    'fp16': "optim_wrapper.type='AmpOptimWrapper', or --amp",
    'seed': 'randomness.seed',
    'resume_from': '--resume PATH',
    'batch_size': 'train_dataloader.batch_size',
    'samples_per_gpu': 'train_dataloader.batch_size',
    'workers_per_gpu': 'train_dataloader.num_workers',
    'lr': 'optim_wrapper.optimizer.lr',
    'model.pretrained': 'model.backbone.init_cfg',
}
# Variables by these names are a habit of configs; nothing is lost if they
# are there and their values are used.
HARMLESS = ('optimizer', 'batch_size', 'lr', 'max_epochs', 'max_iters')
# Of little weight for what is trained.
MINOR = (
    'workflow', 'dist_params', 'cudnn_benchmark', 'log_config',
    'checkpoint_config',
)  # fmt: skip
# What mmengine and this package read at the top.
READ = (
    'model', 'work_dir', 'train_dataloader', 'val_dataloader',
    'test_dataloader', 'train_cfg', 'val_cfg', 'test_cfg', 'auto_scale_lr',
    'optim_wrapper', 'param_scheduler', 'val_evaluator', 'test_evaluator',
    'default_hooks', 'custom_hooks', 'data_preprocessor', 'load_from',
    'resume', 'launcher', 'env_cfg', 'log_processor', 'log_level',
    'visualizer', 'default_scope', 'randomness', 'experiment_name',
    'runner_type', 'custom_imports', 'tta_model', 'tta_pipeline',
    'find_unused_parameters', 'model_wrapper_cfg', 'sync_bn', 'compile',
    'activation_checkpointing', 'strategy', 'checks',
)  # fmt: skip
LOADER_OLD = {
    'samples_per_gpu': 'batch_size',
    'workers_per_gpu': 'num_workers',
    'videos_per_gpu': 'batch_size',
}


def meant(option: str) -> str:
    """What became of an option of OpenMMLab 1.x, or ''."""
    parts = option.split('.')
    for count in range(len(parts), 0, -1):
        new = OLD.get('.'.join(parts[:count]))
        if new:
            rest = parts[count:]
            plain = ' ' not in new and '=' not in new
            if rest and plain and count == 1 and parts[0] == 'optimizer':
                return '.'.join([new, *rest])
            return new
    return ''


def check_options(cfg: Config, options: Mapping[str, Any] | None) -> None:
    """Checks ``--cfg-options`` before they are merged into a config.

    Args:
        cfg: The config as it is in its file.
        options: Value by option.

    Raises:
        UserError: Nothing reads an option.
    """
    known = [*READ, *cfg]
    for option in options or ():
        top = option.partition('.')[0]
        old = meant(option)
        if old and (top not in cfg or top in HARMLESS or top == 'model'):
            if top == 'model' and 'pretrained' in cfg.get('model', {}):
                continue
            raise UserError(
                f'--cfg-options {option}: nothing reads it; wanted {old}'
            )
        if top not in known:
            raise UserError(
                f'--cfg-options {option}: nothing reads it'
                f'{_close(option, cfg, known)}'
            )


def _close(option: str, cfg: Config, known: list[str]) -> str:
    """An option of a similar name."""
    top, _, rest = option.partition('.')
    close = difflib.get_close_matches(top, known, 1, 0.6)
    if close:
        return f'; did you mean {".".join(filter(None, [close[0], rest]))}?'
    ends = [path for path in _paths(cfg) if path.endswith(f'.{option}')]
    return f'; did you mean {ends[0]}?' if ends else ''


def close_to(name: str, known: Iterable[str]) -> str:
    """The one of known names that is like another, in words, or ''."""
    close = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f'; did you mean {close[0]}?' if close else ''


def _paths(cfg: Any, before: str = '') -> Iterator[str]:
    for key, value in cfg.items() if isinstance(cfg, dict | Config) else ():
        path = f'{before}{key}'
        yield path
        if isinstance(value, dict):
            yield from _paths(value, f'{path}.')


def check_keys(cfg: Config, found: Findings) -> None:
    """Checks the options of a config for those that nothing reads.

    Variables of a config's own are no fault; those of OpenMMLab 1.x are.

    Args:
        cfg: Whole config.
        found: Gets what is wrong.
    """
    if not isinstance(cfg.get('model'), dict):
        found.error(
            'no model', f'model={cfg.get("model")!r:.60}: wanted a dict'
        )
    for key in cfg:
        value = cfg[key]
        new = OLD.get(key)
        if not new or key == 'seed':
            continue
        if key in HARMLESS:
            wrapper = cfg.get('optim_wrapper') or {}
            if key == 'optimizer' and value != wrapper.get('optimizer'):
                found.error(
                    'unread option',
                    f'optimizer={value!r:.60} is read by nothing; wanted '
                    f'{new}',
                )
            continue
        if key == 'data' and not isinstance(value, dict):
            continue
        inner = [
            f'{key}.{k}: {OLD[f"{key}.{k}"]}'
            for k in (value if isinstance(value, dict) else ())
            if f'{key}.{k}' in OLD
        ]
        text = f' ({"; ".join(inner)})' if inner else ''
        note = found.warn if key in MINOR else found.error
        note(
            'unread option',
            f'{key} is of OpenMMLab 1.x and read by nothing; wanted {new}'
            f'{text}',
        )
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        for old, new in LOADER_OLD.items():
            if isinstance(loader, dict) and old in loader:
                found.error(
                    'unread option',
                    f'{split}_dataloader.{old} is of OpenMMLab 1.x; wanted '
                    f'{split}_dataloader.{new}',
                )
    near = [
        (key, close[0])
        for key in cfg
        if key not in READ
        and (close := difflib.get_close_matches(key, READ, 1, 0.9))
    ]
    for key, close in near:
        found.warn(
            'unread option',
            f'{key} is read by nothing; {close} is meant?',
        )
