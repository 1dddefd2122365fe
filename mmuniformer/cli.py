"""The command ``mmuniformer``: the scripts of ``tools/``, from anywhere."""

import difflib
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from . import __version__, compat
from .errors import UserError

HOME = Path(__file__).resolve().parent / '.mim'
TOOLS, CONFIGS = HOME / 'tools', HOME / 'configs'


class Command(NamedTuple):
    """A script of ``tools/`` and what it does."""

    script: str
    purpose: str


COMMANDS = {
    'train': Command('train.py', 'train a config, on --gpus N processes'),
    'test': Command('test.py', 'test a checkpoint, on --gpus N processes'),
    'predict': Command('predict.py', 'predict pictures, videos and clips'),
    'features': Command('extract_features.py', 'take features out'),
    'toyworld': Command('make_toyworld.py', 'make small stand-in data'),
    'convert': Command('convert_checkpoint.py', 'convert a weight file'),
    'data': Command('', 'check CONFIG: all that can be wrong with its data'),
    'token-labels': Command('make_token_labels.py', 'make token labels'),
    'models': Command('', 'list the published models'),
    'download': Command('', 'get the weights of a published model'),
    'doctor': Command('', 'say what is installed and what is missing'),
    'analysis': Command('', 'TOOL: a script of tools/analysis'),
    'run': Command('', 'SCRIPT: any script, with the answers of compat'),
    'configs': Command('', 'list the configs'),
    'completion': Command('', 'what a shell is to know: bash, zsh or fish'),
}
DISTRIBUTED = ('train', 'test')


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command.

    Args:
        argv: Arguments; those of the process by default.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ('-h', '--help'):
        print(usage())
        sys.exit(0 if args else 2)
    if args[0] in ('-V', '--version'):
        print(__version__)
        return
    name, rest = args[0], args[1:]
    if '--offline' in rest and name != 'run':
        rest.remove('--offline')
        os.environ['MMUNIFORMER_OFFLINE'] = '1'
    try:
        run_command(name, rest)
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)


def usage() -> str:
    """What ``mmuniformer --help`` prints."""
    lines = ['usage: mmuniformer COMMAND [options]', '']
    lines += [f'  {n:14}{c.purpose}' for n, c in COMMANDS.items()]
    lines += [
        '',
        'CONFIG is a file, or one of ours without suffix, for instance',
        'det/mask_rcnn_uniformer_b. `mmuniformer COMMAND --help` says more.',
        'With --offline no command downloads weights; it says which file to',
        'put where.',
    ]
    return '\n'.join(lines)


def run_command(name: str, args: list[str]) -> None:
    """Runs a command of ``COMMANDS``.

    Raises:
        UserError: There is no such command, config or tool.
    """
    if name not in COMMANDS:
        raise UserError(unknown('command', name, COMMANDS))
    if name == 'doctor':
        from .doctor import main as doctor

        doctor(args)
    elif name in ('models', 'download'):
        from .zoo import commands

        (commands.models if name == 'models' else commands.fetch)(args)
    elif name == 'configs':
        print('\n'.join(config_names()))
    elif name == 'completion':
        from .completion import script

        print(script(args[0] if args else '', words()))
    elif name == 'data':
        if not args or args[0] != 'check':
            raise UserError('data: wanted check CONFIG')
        run_script(TOOLS / 'check_data.py', with_config(args[1:]))
    elif name == 'run':
        if not args:
            raise UserError('run: wanted a script')
        run_foreign(args)
    elif name == 'analysis':
        run_analysis(args)
    elif name in DISTRIBUTED:
        run_distributed(name, args)
    else:
        run_script(TOOLS / COMMANDS[name].script, with_config(args))


def words() -> dict[str, tuple[str, list[str]]]:
    """What may follow each command, and the purpose of it."""
    from . import completion, doctor
    from .zoo import commands, names

    tools = [p.stem for p in sorted((TOOLS / 'analysis').glob('*.py'))]
    follow = {
        'run': [],
        'analysis': tools,
        'configs': [],
        'completion': [*completion.SHELLS],
        'doctor': completion.options(Path(doctor.__file__)),
        'models': completion.options(Path(commands.__file__)),
        'download': [*names.list_models(), '--help', '--offline'],
        'data': ['check', *config_names()],
    }
    known = {}
    for name, command in COMMANDS.items():
        if name not in follow:
            follow[name] = completion.options(TOOLS / command.script)
        if name in DISTRIBUTED:
            follow[name] += ['--gpus', '--offline', *config_names()]
        if name in ('predict', 'features'):
            follow[name] += ['--offline', *names.list_models()]
        known[name] = command.purpose, follow[name]
    return known


def run_distributed(name: str, args: list[str]) -> None:
    """Trains or tests here, or by torchrun with ``--gpus N``."""
    args, gpus = take_option(args, '--gpus')
    args = with_config(args)
    if gpus is None:
        run_script(TOOLS / COMMANDS[name].script, args)
        return
    script = str(TOOLS / f'dist_{name}.sh')
    files = 1 if name == 'train' else 2
    os.environ.setdefault('PYTHON', sys.executable)
    os.execvp('bash', ['bash', script, *args[:files], gpus, *args[files:]])


def run_analysis(args: list[str]) -> None:
    """Runs a script of ``tools/analysis``."""
    scripts = {p.stem: p for p in sorted((TOOLS / 'analysis').glob('*.py'))}
    if not args or args[0] in ('-h', '--help'):
        print('usage: mmuniformer analysis TOOL [options]\n')
        print('\n'.join(f'  {name}' for name in scripts))
        return
    name = args[0].removesuffix('.py')
    name = 'gpu_report' if name == 'gpu' else name
    if name not in scripts:
        raise UserError(unknown('tool', name, scripts))
    run_script(scripts[name], with_config(args[1:]))


def run_script(path: Path, args: list[str]) -> None:
    """Runs one of our scripts as ``python PATH ARGS`` would."""
    if not path.is_file():
        raise UserError(f'{path}: no such file; is the installation whole?')
    sys.argv = [str(path), *args]
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name='__main__')


def run_foreign(args: list[str]) -> None:
    """Runs anyone's script, with the answers of ``compat`` in force."""
    path = Path(args[0])
    if not path.is_file():
        raise UserError(f'run: {str(path)!r}: no such file')
    compat.install()
    sys.argv = args
    sys.path.insert(0, str(path.resolve().parent))
    runpy.run_path(str(path), run_name='__main__')


def with_config(args: list[str]) -> list[str]:
    """Puts the path of one of our configs in place of its name.

    Only a first argument that is no file is looked up.

    Raises:
        UserError: It looks like a config and there is none of this name.
    """
    if not args or args[0].startswith('-') or os.path.exists(args[0]):
        return args
    name = args[0].removeprefix('configs/').removesuffix('.py')
    path = CONFIGS / f'{name}.py'
    if path.is_file():
        return [str(path), *args[1:]]
    folder = name.partition('/')[0]
    if '/' in name and (CONFIGS / folder).is_dir():
        raise UserError(unknown('config', name, config_names()))
    return args


def config_names() -> list[str]:
    """Names of all configs, as ``det/mask_rcnn_uniformer_b``."""
    paths = CONFIGS.glob('[a-z]*/*.py')
    names = (p.relative_to(CONFIGS).with_suffix('').as_posix() for p in paths)
    return sorted(names)


def take_option(args: list[str], name: str) -> tuple[list[str], str | None]:
    """Splits an option and its value from the other arguments.

    Raises:
        UserError: The value is missing.
    """
    for i, arg in enumerate(args):
        if arg == name and i + 1 == len(args):
            raise UserError(f'{name}: wanted a number')
        if arg == name:
            return args[:i] + args[i + 2 :], args[i + 1]
        if arg.startswith(f'{name}='):
            return args[:i] + args[i + 1 :], arg.partition('=')[2]
    return args, None


def unknown(kind: str, name: str, known: Sequence[str] | dict) -> str:
    """A message with the nearest names."""
    near = difflib.get_close_matches(name, list(known), 3, 0.4)
    hint = f'; did you mean {" or ".join(near)}?' if near else ''
    return f'{kind}={name!r}: there is none of this name{hint}'


if __name__ == '__main__':
    main()
