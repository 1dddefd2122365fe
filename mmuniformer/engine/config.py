"""Command line to config: the options that OpenMMLab users know."""

import argparse
import inspect
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

from mmengine.config import Config, DictAction
from mmengine.logging import print_log

from .. import settings
from ..checks.config_keys import check_options
from ..errors import LocalUserError, UserError
from ..settings import on_load  # noqa: F401
from ..tasks import TASKS, find_scope
from . import loggers
from .launch import is_main_process

# Hooks that draw predictions: options that switch them on, and the one that
# takes the folder; '' where the visualizer takes it.
DRAWING_HOOKS: dict[str, tuple[dict[str, Any], str]] = {
    'DetVisualizationHook': (dict(draw=True), 'test_out_dir'),
    'SegVisualizationHook': (dict(draw=True, interval=1), ''),
    'PoseVisualizationHook': (dict(enable=True), 'out_dir'),
    'VisualizationHook': (dict(enable=True, interval=1), 'out_dir'),
}
# Ours, which take the place of hosts' hooks that fail or draw too much.
BETTER_HOOKS = {
    ('mmaction', 'VisualizationHook'): 'mmuniformer.ClipVisualizationHook',
    ('mmpose', 'PoseVisualizationHook'): 'mmuniformer.PeopleVisualizationHook',
}
for (_, _kind), _better in BETTER_HOOKS.items():
    DRAWING_HOOKS[_better] = DRAWING_HOOKS[_kind]


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong as the tools say it."""

    def error(self, message: str) -> NoReturn:
        """Prints the usage and the one line, and ends the process."""
        self.print_usage(sys.stderr)
        self.exit(2, f'error: {message}\n')


class Options(DictAction):
    """``KEY=VALUE ...``; what is something else is named."""

    def __call__(
        self, parser: Any, namespace: Any, values: Any, *args: Any
    ) -> None:
        """Reads the values.

        Raises:
            ArgumentError: One has no ``=``.
        """
        for value in values:
            if not re.match(r'[^=\s]+=', value):
                raise argparse.ArgumentError(
                    self, f'{value!r}: wanted KEY=VALUE'
                )
        super().__call__(parser, namespace, values, *args)


def common_parser(description: str) -> argparse.ArgumentParser:
    """The options that training and testing share."""
    parser = Parser(description=description)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir', help='folder of logs and checkpoints [work_dirs/CONFIG]'
    )
    parser.add_argument(
        '--data-root',
        metavar='DIR',
        help='where the data set is, in place of the folder of the config',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        metavar='KEY=VALUE',
        help='change values of the config, e.g. train_cfg.max_epochs=1',
    )
    loggers.add_option(parser)
    parser.add_argument(
        '--compile',
        action='store_true',
        help='compile the backbone: a minute at the start, then faster',
    )
    parser.add_argument(
        '--launcher',
        choices=('none', 'pytorch'),
        default='none',
        help='set by the dist_*.sh and slurm_*.sh scripts',
    )
    parser.add_argument(
        '--no-checks',
        action='store_true',
        help='start without a look at data, classes and schedule',
    )
    # What torch.distributed.launch adds; mmengine reads the environment.
    parser.add_argument(
        '--local-rank',
        '--local_rank',
        type=int,
        default=0,
        help=argparse.SUPPRESS,
    )
    return parser


def read_config(path: str | Path) -> Config:
    """Reads a config file.

    Raises:
        UserError: There is no such file, or it does not parse.
    """
    if not Path(path).is_file():
        raise UserError(f'config={str(path)!r}: no such file')
    try:
        cfg = Config.fromfile(path)
        find_scope(cfg)
        return cfg
    except UserError:
        raise
    except RecursionError as error:
        raise UserError(
            f'config={str(path)!r} cannot be read: its _base_ leads back to '
            f'itself, or it is nested without end'
        ) from error
    except Exception as error:
        text = ' '.join(str(error).split()) or 'no reason'
        if isinstance(error, ImportError):
            text = _first_reason(error)
        place = ''
        if isinstance(error, SyntaxError) and error.lineno:
            text, place = error.msg, f', line {error.lineno}'
            if error.text:
                place += f' {error.text.strip()!r:.60}'
        raise UserError(
            f'config={str(path)!r} cannot be read: '
            f'{type(error).__name__}: {text:.300}{place}'
        ) from error


def _first_reason(error: BaseException) -> str:
    """What a chain of errors began with."""
    while error.__context__ is not None:
        error = error.__context__
    return ' '.join(str(error).split()) or type(error).__name__


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """The short keys that training has as options, too."""
    for name, kind, meaning in (
        ('epochs', int, 'length of the training; the schedule follows'),
        ('iters', int, 'the same, for configs that count in iterations'),
        (
            'batch-size',
            int,
            'samples per process; the learning rate follows, by the linear '
            'rule',
        ),
        ('lr', float, 'learning rate, whatever the batch size is'),
    ):
        parser.add_argument(f'--{name}', type=kind, metavar='X', help=meaning)


def load_config(args: argparse.Namespace) -> Config:
    """Reads the config file and applies the common options.

    Raises:
        UserError: There is no such file, or it does not parse, or an option
            or a short key of it is wrong.
    """
    cfg = read_config(args.config)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg.launcher = args.launcher
    options = args.cfg_options or {}
    if args.no_checks:
        cfg.checks = False
    elif cfg.get('checks', True):
        keys = {k: v for k, v in options.items() if k not in settings.KEYS}
        check_options(cfg, keys)
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise UserError(
            f'--cfg-options: {error}; no place in the config'
        ) from error
    apply_settings(cfg, args)
    if args.work_dir:
        cfg.work_dir = args.work_dir
    cfg.setdefault('work_dir', default_work_dir(Path(args.config)))
    loggers.log_to(cfg, getattr(args, 'log', ()))
    return cfg


def default_work_dir(config: Path) -> str:
    """``work_dirs/NAME``, as OpenMMLab's tools have it.

    Two of our recipes for the toy world have one name in two tasks: they get
    ``work_dirs/TASK/NAME``.
    """
    path = config.resolve()
    ours = (Path(__file__).parents[1] / '.mim/configs').resolve()
    same = [p for p in ours.glob(f'*/{path.name}') if p.parent.name in TASKS]
    if path in same and len(same) > 1:
        return f'work_dirs/{path.parent.name}/{path.stem}'
    return f'work_dirs/{path.stem}'


def apply_settings(cfg: Config, args: argparse.Namespace) -> None:
    """Applies the short keys of the command line.

    Args:
        cfg: Whole config; changed in place.
        args: Keys in ``cfg_options``, and options of the same names.

    Raises:
        UserError: A value is wrong, or there is nothing that it changes.
    """
    settings.apply(cfg, args.cfg_options or ())
    for name in settings.KEYS:
        value = getattr(args, name, None)
        if value is not None:
            settings.apply_one(cfg, name, value)
    settings.take_out(cfg)
    if is_main_process():
        for line in settings.strays(cfg):
            print_log(line, logger='current', level=logging.WARNING)


def take_raw_weights(cfg: Config) -> None:
    """Has the hook that loads the checkpoint take its raw weights.

    Args:
        cfg: Whole config; changed in place.

    Raises:
        UserError: The config has no such hook.
    """
    for hook in hooks_of(cfg):
        if hook['type'] == 'mmuniformer.LoadReportHook':
            hook['raw'] = True
            return
    raise UserError(
        '--raw-weights: the config has no mmuniformer.LoadReportHook in '
        'default_hooks or custom_hooks'
    )


def hooks_of(cfg: Config) -> list[dict[str, Any]]:
    """The hooks of a config, ours and those of the user."""
    default = (cfg.get('default_hooks') or {}).values()
    hooks = [*default, *(cfg.get('custom_hooks') or ())]
    return [hook for hook in hooks if isinstance(hook, dict)]


def draw_predictions(cfg: Config, folder: str) -> None:
    """Has the visualization hook write pictures of predictions.

    Args:
        cfg: Whole config; changed in place.
        folder: Where to write them.

    Raises:
        UserError: The config has no such hook.
    """
    hook = cfg.get('default_hooks', {}).get('visualization')
    if not hook or hook['type'] not in DRAWING_HOOKS:
        raise UserError(
            f'--show-dir={folder!r}: the config has no visualization hook of '
            f'{", ".join(DRAWING_HOOKS)}'
        )
    kind = cfg.get('default_scope'), hook['type']
    hook['type'] = BETTER_HOOKS.get(kind, hook['type'])
    options, folder_option = DRAWING_HOOKS[hook['type']]
    hook.update(options)
    path = str(Path(folder).resolve())
    if folder_option:
        hook[folder_option] = path
    else:
        others = [
            backend
            for backend in cfg.visualizer.get('vis_backends') or ()
            if backend['type'] != loggers.LOCAL
        ]
        local = dict(type=loggers.LOCAL, img_save_dir=path)
        cfg.visualizer.vis_backends = [local, *others]


# Methods by which pictures come about; those that write logs are not for all.
DRAWING = re.compile(r'draw_|set_image|get_image|dataset_meta|add_(data|im)')


def draw_in_all_processes(visualizer: Any) -> None:
    """Lets every process draw its share; hosts let only the first one draw.

    Args:
        visualizer: That of a Runner.
    """
    kind = type(visualizer)
    own: dict[str, Any] = {}
    for name in filter(DRAWING.match, dir(kind)):
        method = inspect.getattr_static(kind, name)
        if isinstance(method, property):
            pair = method.fget, method.fset
            own[name] = property(*(f and inspect.unwrap(f) for f in pair))
        elif isinstance(method, staticmethod):
            own[name] = staticmethod(inspect.unwrap(method.__func__))
        else:
            own[name] = inspect.unwrap(method)
    visualizer.__class__ = type(kind.__name__, (kind,), own)


def exit_with(error: Exception) -> None:
    """Prints a user's error in one line, once, and ends the process."""
    if is_main_process() or isinstance(error, LocalUserError):
        # What a data loader's worker raises comes with its traceback.
        message = str(error).rsplit(f'{type(error).__name__}: ', 1)[-1]
        print(f'error: {message.strip()}', file=sys.stderr)
    sys.exit(2)
