#!/usr/bin/env python3
"""Checks, and with --run runs, every fenced command of README and docs.

Without --run: each command is given to the parser of its own tool, so that
options and choices exist; paths, configs, make's targets, extras and names of
Python exist; numbers that are called measured are those of
docs/measured/*.json (tools/_measured.py). It takes some seconds.

With --run: blocks are run in a scratch folder, page by page, but for those
that say why not (tools/_fences.py).
"""

import argparse
import ast
import contextlib
import functools
import importlib
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import _env  # noqa: F401
from _fences import PLACEHOLDER, Fence, commands, fences
from _measured import unlinked_numbers, wrong_numbers

ROOT = Path(__file__).resolve().parent.parent
PATHS = re.compile(
    r'(?<![\w/.:-])((?:tools|configs|docs|tests|mmuniformer)/[\w./-]*\w)'
)
FLAG = re.compile(r'(?<![\w-])--[a-z][a-z0-9-]+')
PLAIN = set(
    'cd export git source . mkdir cp mv ls cat head tail echo curl ln sbatch '
    'nvidia-smi nvcc ulimit test unset which df du free pkill'.split()
)
VARIABLE = re.compile(r'^([A-Z_][A-Z0-9_]*)=')
# Of pip and of the hosts' own tools.
THEIRS = (
    '--help --no-deps --no-build-isolation --require-hashes --phase --mode'
).split()
# Of PyTorch, CUDA, NCCL, gloo and the shell.
FOREIGN = re.compile(
    r'WANDB_|MLFLOW_|CUDA_|NCCL_|GLOO_|TORCH|OMP_|HF_|PATH$|PYTHON|VIRTUAL_ENV|FLAG'
)


class Parsed(BaseException):
    """A tool has read its arguments: it need not go on."""


class WrongError(Exception):
    """A command that does not fit this project."""


@contextlib.contextmanager
def only_parsing() -> Iterator[None]:
    """Parsers end the tool by which they are called."""
    parse = argparse.ArgumentParser.parse_args

    def parse_args(self, *args, **kwargs):
        parse(self, *args, **kwargs)
        raise Parsed

    argparse.ArgumentParser.parse_args = parse_args
    argv, handlers = sys.argv, sys.path[:]
    try:
        yield
    finally:
        argparse.ArgumentParser.parse_args = parse
        sys.argv, sys.path[:] = argv, handlers


def parse(run, *args: str) -> None:
    """Calls a tool as far as its parser.

    Raises:
        WrongError: What the parser said.
    """
    said = io.StringIO()
    with only_parsing(), contextlib.redirect_stderr(said):
        try:
            with contextlib.redirect_stdout(said):
                run(*args)
        except Parsed:
            return
        except SystemExit as end:
            if end.code not in (None, 0):
                last = (said.getvalue().strip() or str(end.code)).splitlines()
                raise WrongError(last[-1]) from None
    # A command without a parser, such as `mmuniformer configs`.


def check_tool(path: str, args: list[str]) -> None:
    """A command ``tools/...``."""
    file = ROOT / path
    if not file.is_file():
        raise WrongError(f'{path}: no such file')
    if file.suffix == '.sh':
        first = 3 if 'slurm' in file.name else 2
        if len(args) < first + ('test' in file.name):
            raise WrongError(f'{path}: wanted more arguments')
        if 'slurm' in file.name:
            rest = args[2:]
        else:
            files = 2 if 'test' in file.name else 1
            if not re.fullmatch(r'\d+|[A-Z]+', args[files]):
                raise WrongError(
                    f'{args[files]!r}: wanted a number of processes'
                )
            rest = [*args[:files], *args[files + 1 :]]
        tool = 'test.py' if 'test' in file.name else 'train.py'
        check_tool(f'tools/{tool}', rest)
        return
    parse(run_script, file, args)


def run_script(file: Path, args: list[str]) -> None:
    """Runs a script of ours in this process."""
    sys.argv = [str(file), *args]
    sys.path.insert(0, str(file.parent))
    runpy.run_path(str(file), run_name='__main__')


def check_command(line: str) -> None:
    """One command.

    Raises:
        WrongError: It names what is not there.
    """
    line = re.split(r' (?:\||>>?|2>&1|<) ?', line)[0].removesuffix('&')
    line = re.sub(r'\$\((.*?)\)', 'VALUE', line)
    words = shlex.split(line)
    while words and (found := VARIABLE.match(words[0])):
        check_variable(found[1])
        words.pop(0)
    if not words:
        return
    name, args = words[0], words[1:]
    if name in ('python', 'python3') or name.endswith('/bin/python'):
        if args[:1] == ['-m'] and args[1].startswith('mmuniformer'):
            importlib.import_module(args[1])
            return
        if args[:1] and args[0].startswith('tools/'):
            name, args = args[0], args[1:]
        else:
            return
    name = re.sub(r'^\.?/?(\.venv|[\w.-]+)/bin/(?=mmuniformer|pip)', '', name)
    if name.startswith(('tools/', './tools/', 'tests/')):
        script = ROOT / name
        if script.is_file() and not os.access(script, os.X_OK):
            raise WrongError(f'{name}: not executable')
    if name.startswith(('tools/', './tools/')):
        check_tool(name.removeprefix('./'), args)
    elif name == 'tests/docs/stage.sh':
        return
    elif name == 'mmuniformer':
        check_cli(args)
    elif name == 'make':
        check_make(args)
    elif name == 'pip':
        check_pip(args)
    elif name not in PLAIN:
        raise WrongError(f'{name}: not a command that is known here')


def check_cli(args: list[str]) -> None:
    """A command ``mmuniformer ...``."""
    from mmuniformer import cli

    if args[:1] and args[0] in cli.DISTRIBUTED:
        rest, _ = cli.take_option(args[1:], '--gpus')
        check_tool(f'tools/{args[0]}.py', cli.with_config(rest))
    elif args[:1] == ['run']:
        return
    else:
        parse(cli.main, args)


def check_variable(name: str) -> None:
    """A variable of the environment is read somewhere."""
    if not FOREIGN.search(name) and name not in sources():
        raise WrongError(f'{name}: nothing here reads it')


@functools.cache
def sources() -> str:
    """All that could read a variable."""
    files = [ROOT / 'Makefile', *ROOT.glob('tools/*.*')]
    files += ROOT.glob('mmuniformer/**/*.py')
    return '\n'.join(f.read_text(encoding='utf-8') for f in files)


def check_make(args: list[str]) -> None:
    """Targets and variables of the Makefile."""
    text = (ROOT / 'Makefile').read_text(encoding='utf-8')
    targets = re.search(r'^\.PHONY: (.*)$', text, re.M)[1].split()
    for arg in args:
        name, equals, _ = arg.partition('=')
        if equals and f'$({name})' not in text:
            raise WrongError(f'make: no variable {name}')
        if not equals and arg not in targets:
            raise WrongError(f'make: no target {arg}')


def check_pip(args: list[str]) -> None:
    """Extras that are asked for exist."""
    text = (ROOT / 'setup.py').read_text(encoding='utf-8')
    for extras in re.findall(r'\[([\w,]+)\]', ' '.join(args)):
        for extra in extras.split(','):
            if f"'{extra}': [" not in text and extra != 'python':
                raise WrongError(f'pip: no extra {extra}')


def check_python(text: str) -> None:
    """Names of this package in a block of Python exist."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ''
            if module.split('.')[0] == 'mmuniformer':
                package = importlib.import_module(module)
                for alias in node.names:
                    if not hasattr(package, alias.name):
                        importlib.import_module(f'{module}.{alias.name}')
        elif isinstance(node, ast.Attribute):
            if getattr(node.value, 'id', '') == 'mmuniformer':
                package = importlib.import_module('mmuniformer')
                if not hasattr(package, node.attr):
                    importlib.import_module(f'mmuniformer.{node.attr}')


def check_fence(fence: Fence) -> Iterator[str]:
    """What is wrong with a block, a line each."""
    if fence.test and not (ROOT / fence.test.partition('::')[0]).exists():
        yield f'{fence.place}: tested: {fence.test}: no such file'
    if fence.language == 'python':
        try:
            check_python(fence.text)
        except Exception as error:
            yield f'{fence.place}: {error}'
    if fence.language != 'shell':
        return
    for line in (*commands('\n'.join(fence.before)), *commands(fence.text)):
        try:
            check_command(line)
        except (WrongError, ImportError, ValueError) as error:
            yield f'{fence.place}: {line}\n    {error}'


def check_page(page: Path, flags: set[str]) -> Iterator[str]:
    """What is wrong with a page: its blocks, its paths, its options."""
    for fence in fences(page):
        yield from check_fence(fence)
    yield from wrong_numbers(page)
    yield from unlinked_numbers(page)
    text = without_theirs(page.read_text(encoding='utf-8'))
    for path in sorted(set(PATHS.findall(text))):
        if not (ROOT / path).exists() and not re.search('[A-Z]{3}', path):
            yield f'{page.name}: {path}: no such file'
    if flags:
        for code in set(re.findall(r'`(--[^`\n]+)`', text)):
            for flag in FLAG.findall(code):
                own = f'--{flag.removeprefix("--no-")}'
                if flag not in flags and own not in flags:
                    yield f'{page.name}: {flag}: no tool has it'


def without_theirs(text: str) -> str:
    """Tables without a first column that is called "there"."""
    lines, theirs = [], False
    for line in text.splitlines():
        if line.startswith('| there'):
            theirs = True
        theirs = theirs and line.startswith('|')
        lines.append(re.sub(r'^\| .*? \| ', '| ', line) if theirs else line)
    return '\n'.join(lines)


def known_flags() -> set[str]:
    """Options that a tool, the test runner or a script of ours has."""
    files = [*ROOT.glob('tools/**/*.*'), *ROOT.glob('tests/ordeal/*.py')]
    files += [*ROOT.glob('mmuniformer/**/*.py'), ROOT / 'Makefile']
    found = set(THEIRS)
    for file in files:
        if file.suffix in ('.py', '.sh', ''):
            text = file.read_text(encoding='utf-8')
            found.update(re.findall(r'--[a-z][a-z0-9-]+', text))
            # Options that are made of names: --images-train.
            names = re.findall(r"'([a-z_]{2,})'", text)
            found.update(f'--{n.replace("_", "-")}' for n in names)
    return found


def stage(folder: Path) -> None:
    """A folder in which the commands run as in a clone."""
    for entry in ROOT.iterdir():
        if entry.name not in ('.git', 'data', 'work_dirs', 'site'):
            link = folder / entry.name
            if not link.exists():
                link.symlink_to(entry)


def run_fence(fence: Fence, folder: Path) -> str:
    """Runs a block; returns what went wrong, or ''."""
    if fence.language == 'shell':
        lines = ['set -euo pipefail', *fence.before, fence.text]
        command = ['bash', '-c', '\n'.join(lines)]
    else:
        for line in fence.before:
            subprocess.run(['bash', '-c', line], cwd=folder, check=True)
        command = [sys.executable, '-c', fence.text]
        if re.match(r'\s*(#.*\n\s*)*_base_ = ', fence.text):
            (folder / 'my_config.py').write_text(fence.text)
            tool = 'tools/analysis/print_config.py'
            command = [sys.executable, tool, 'my_config.py']
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(os.environ, PATH=path, PYTHON=sys.executable),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
    )
    tail = '\n'.join(done.stdout.strip().splitlines()[-12:])
    return f'status {done.returncode}\n{tail}' if done.returncode else ''


def why_not(fence: Fence) -> str:
    """Why a block is not run, or ''."""
    if fence.reason or fence.test:
        return fence.reason or f'tested: {fence.test}'
    found = PLACEHOLDER.search(re.sub('#.*', '', fence.text))
    if fence.language == 'shell' and found:
        return f"{found[0]} is the reader's"
    return ''


def run_all(pages: list[Path], folder: Path) -> int:
    """Runs what can be run, and says what was not; how many failed."""
    failed = 0
    for page in pages:
        for fence in fences(page):
            if fence.language not in ('shell', 'python'):
                continue
            reason = why_not(fence)
            if reason:
                print(f'not run  {fence.place}: {reason}', flush=True)
                continue
            stage(folder)
            start = time.time()
            wrong = run_fence(fence, folder)
            failed += bool(wrong)
            word = f'FAILED: {wrong}' if wrong else 'ran'
            seconds = f'{time.time() - start:.0f} s'
            print(f'{word}  {fence.place}: {seconds}', flush=True)
    return failed


def main() -> None:
    """Checks, and runs if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('pages', nargs='*', type=Path, help='[all]')
    parser.add_argument('--run', action='store_true', help='run the blocks')
    parser.add_argument('--folder', type=Path, help='to run in [a new one]')
    args = parser.parse_args()
    pages = args.pages or [
        *(ROOT / n for n in ('README.md', 'CONTRIBUTING.md')),
        *sorted((ROOT / 'docs').glob('*.md')),
    ]
    if args.run:
        folder = args.folder or Path(tempfile.mkdtemp(prefix='docs_'))
        folder.mkdir(parents=True, exist_ok=True)
        print(f'in {folder}')
        sys.exit(1 if run_all(pages, folder) else 0)
    flags = known_flags()
    wrong = [line for page in pages for line in check_page(page, flags)]
    print('\n'.join(wrong) or f'{len(pages)} pages: every command fits')
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
