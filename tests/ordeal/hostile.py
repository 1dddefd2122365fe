"""Weight files as nobody should load them: damaged, wrong, hostile.

Each kind is a function that makes a new file of the content of a good one.
"""

import builtins
import importlib
import io
import os
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

# Where a file is given to: a network, test.py, convert_checkpoint.py and
# train.py --resume.
DOORS = 'backbone', 'test', 'convert', 'resume'


class Source(NamedTuple):
    """A good file.

    Attributes:
        raw: Its bytes.
        content: What they hold, anew for each kind.
        marker: A file that must never be there: code has run.
        victim: A file that must stay: another run's.
    """

    raw: bytes
    content: dict
    marker: Path
    victim: Path


Kind = Callable[[Source, Path, random.Random], None]
KINDS: dict[str, tuple[Kind, tuple[str, ...]]] = {}


def kind(*doors: str) -> Callable[[Kind], Kind]:
    """Notes a kind, and who has to refuse it.

    Where a door is not named, it may take the file if the weights in it are
    those of the good one.
    """

    def note(function: Kind) -> Kind:
        KINDS[function.__name__] = function, doors or DOORS
        return function

    return note


# --- bytes -----------------------------------------------------------------


@kind('none')
def a_flipped_bit(of, path, rng):
    raw = bytearray(of.raw)
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


@kind('none')
def some_flipped_bytes(of, path, rng):
    raw = bytearray(of.raw)
    for _ in range(20):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    path.write_bytes(raw)


@kind()
def cut_off(of, path, rng):
    path.write_bytes(of.raw[: rng.randrange(1, len(of.raw) - 30)])


@kind()
def without_its_beginning(of, path, rng):
    path.write_bytes(of.raw[rng.randrange(1, len(of.raw) // 2) :])


@kind('none')
def a_block_of_zeros(of, path, rng):
    raw, at = bytearray(of.raw), rng.randrange(len(of.raw) - 4096)
    raw[at : at + 4096] = bytes(4096)
    path.write_bytes(raw)


@kind('none')
def two_blocks_exchanged(of, path, rng):
    raw, size = bytearray(of.raw), 4096
    a, b = sorted(rng.sample(range(len(raw) // size), 2))
    a, b = a * size, b * size
    raw[a : a + size], raw[b : b + size] = (
        of.raw[b : b + size],
        of.raw[a : a + size],
    )
    path.write_bytes(raw)


@kind('none')
def bytes_put_in(of, path, rng):
    at = rng.randrange(len(of.raw))
    more = rng.randbytes(rng.randrange(1, 9999))
    path.write_bytes(of.raw[:at] + more + of.raw[at:])


@kind('none')
def bytes_taken_out(of, path, rng):
    at = rng.randrange(len(of.raw) - 9999)
    path.write_bytes(of.raw[:at] + of.raw[at + rng.randrange(1, 9999) :])


@kind('none')
def an_old_pickle_with_flipped_bytes(of, path, rng):
    buffer = io.BytesIO()
    torch.save(of.content, buffer, _use_new_zipfile_serialization=False)
    raw = bytearray(buffer.getvalue())
    for _ in range(3):  # before the numbers, which nothing checks
        raw[rng.randrange(len(raw) // 50)] = rng.randrange(256)
    path.write_bytes(raw)


@kind()
def something_else(of, path, rng):
    path.write_bytes(
        rng.choice([
            b'', b'\0' * 4096, rng.randbytes(4096), b'<html>404</html>',
            b'version https://git-lfs.github.com/spec/v1\n', b'\x80\x04.',
            b'\x89PNG\r\n\x1a\n' + bytes(99), b'PK\5\6' + bytes(18),
            b'\xff' * 8 + b'{}', b'\2' + bytes(7) + b'{}',
            b'{"a": 1}', b'\x1f\x8b' + bytes(99), b'\n' * 9,
        ])
    )  # fmt: skip


@kind()
def a_tar_file(of, path, rng):
    with tarfile.open(path, 'w') as archive:
        info = tarfile.TarInfo(
            rng.choice(['pickle', '../../etc/x', 'tensors'])
        )
        info.size = 9
        archive.addfile(info, io.BytesIO(b'\x80\x02c' + bytes(6)))


@kind()
def a_zip_bomb(of, path, rng):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('a/data.pkl', b'\x80\x02}.')
        with archive.open('a/data/0', 'w', force_zip64=True) as part:
            for _ in range(300 + rng.randrange(99)):
                part.write(bytes(2**20))


@kind()
def torchscript(of, path, rng):
    torch.jit.save(
        torch.jit.script(torch.nn.Linear(rng.randrange(2, 9), 2)), path
    )


@kind()
def two_parts_of_one_name(of, path, rng):
    path.write_bytes(of.raw)
    with zipfile.ZipFile(path, 'a') as archive:
        name = rng.choice(archive.namelist())
        archive.filelist = []  # as if it were not there
        archive.NameToInfo = {}
        archive.writestr(name, b'other')
        with zipfile.ZipFile(io.BytesIO(of.raw)) as old:
            archive.filelist += old.filelist


@kind()
def safetensors_with_a_wrong_header(of, path, rng):
    header = rng.choice([
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,99]}}',
        b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}}',
        b'{"a":1}', b'{' * 9999, b'{"a":', b'{}',
    ])  # fmt: skip
    path.write_bytes(len(header).to_bytes(8, 'little') + header + bytes(16))


# --- code ------------------------------------------------------------------


class Call:
    """Pickled, it is a call of a function that may be anything."""

    def __init__(self, name: str, *args: Any) -> None:
        self.name, self.args = name, args

    def __reduce__(self) -> tuple:
        module, _, name = self.name.rpartition('.')
        found = importlib.import_module(module) if module else builtins
        return getattr(found, name), self.args


def calls(marker: Path) -> list[Call]:
    """Ways to run code."""
    python = f'open({str(marker)!r}, "w").close()'
    inner = io.BytesIO()
    torch.save(Call('builtins.exec', python), inner)
    return [
        Call('builtins.exec', python),
        Call('builtins.eval', python),
        Call('os.system', f'touch {marker}'),
        Call('subprocess.getoutput', f'touch {marker}'),
        Call('builtins.open', str(marker), 'w'),
        Call('runpy._run_code', python, {}),
        Call('timeit.timeit', python),
        Call('mmengine.config.Config.fromstring', python, '.py'),
        Call('torch.storage._load_from_bytes', inner.getvalue()),
        Call('os.mkdir', str(marker)),
        Call('pathlib.Path.touch', marker),
        Call('builtins.getattr', os, 'system'),
        Call('cProfile.run', python),
        Call('torch.jit.script', print),
    ]


def _call(of: Source, rng: random.Random) -> Any:
    """One of them that can be pickled here."""
    import pickle

    while True:
        call = rng.choice(calls(of.marker))
        try:
            pickle.dumps(call, 2)
        except Exception:
            continue
        return call


@kind()
def code_beside_the_weights(of, path, rng):
    of.content[rng.choice(['meta', 'x', 'optimizer'])] = _call(of, rng)
    torch.save(of.content, path)


@kind()
def code_in_the_place_of_a_tensor(of, path, rng):
    state = of.content['state_dict']
    state[rng.choice([*state])] = _call(of, rng)
    torch.save(of.content, path)


@kind()
def code_in_an_old_pickle(of, path, rng):
    of.content['state_dict']['x'] = _call(of, rng)
    torch.save(of.content, path, _use_new_zipfile_serialization=False)


@kind()
def code_alone(of, path, rng):
    import pickle

    path.write_bytes(pickle.dumps(_call(of, rng), rng.choice([2, 4])))


@kind('none')
def a_config_that_is_code(of, path, rng):
    python = f'open({str(of.marker)!r}, "w").close()\n'
    meta = of.content['meta']
    for key in ('config', 'cfg'):
        meta[key] = python + str(meta.get('cfg', ''))
    of.content['message_hub'].setdefault('runtime_info', {})['cfg'] = python
    torch.save(of.content, path)


# --- paths -----------------------------------------------------------------


@kind('none')
def paths_of_others(of, path, rng):
    hub = of.content['message_hub']
    info = hub.setdefault('runtime_info', {})
    target = rng.choice([of.victim, of.victim.parent])
    for key in ('best_ckpt', 'last_ckpt', 'best_ckpt_accuracy/top1'):
        info[key] = str(target)
    info['best_score'] = info['best_score_accuracy/top1'] = -1e9
    info['keep_ckpt_ids'] = rng.choice([[1, 0, -1], ['../x'], [10**9]])
    torch.save(of.content, path)


# --- tensors ---------------------------------------------------------------

FIRST = 'backbone.patch_embed1.proj.'


def first(state: dict) -> str:
    """The name of the first convolution of a network."""
    return next(k for k in state if k.startswith(FIRST) and 'weight' in k)


def _weight(of: Source, change: Callable) -> None:
    state = of.content['state_dict']
    name = first(state)
    state[name] = change(state[name])


def _one(value: float) -> Callable:
    def change(tensor):
        tensor = tensor.clone()
        tensor.view(-1)[3] = value
        return tensor

    return change


@kind()
def not_finite(of, path, rng):
    _weight(of, _one(rng.choice([float('nan'), float('inf'), -float('inf')])))
    torch.save(of.content, path)


@kind()
def of_a_strange_type(of, path, rng):
    types = (
        torch.int8, torch.int64, torch.bool, torch.complex64,
        torch.float8_e4m3fn, torch.uint8,
    )  # fmt: skip
    _weight(of, lambda x: x.to(rng.choice(types)))
    torch.save(of.content, path)


@kind()
def of_a_strange_layout(of, path, rng):
    def quantised(x):
        return torch.quantize_per_tensor(x.float(), 0.1, 0, torch.qint8)

    change = rng.choice(
        [quantised, torch.Tensor.to_sparse, lambda x: x.to('meta')]
    )
    _weight(of, change)
    torch.save(of.content, path)


@kind()
def of_another_shape(of, path, rng):
    changes = (
        lambda x: x[1:], lambda x: x.flatten(), lambda x: x[..., None],
        lambda x: x[:0], lambda x: x.transpose(0, 1), lambda x: x.sum(),
    )  # fmt: skip
    _weight(of, rng.choice(changes))
    torch.save(of.content, path)


@kind()
def of_a_size_without_end(of, path, rng):
    """A view that repeats one number some tera times."""
    _weight(of, lambda x: torch.zeros(1).expand(2 ** rng.randrange(38, 45)))
    torch.save(of.content, path)


@kind()
def no_tensor(of, path, rng):
    value = rng.choice([None, 'a', 3, [1.0], {}, b'x', {'a': torch.ones(1)}])
    _weight(of, lambda _: value)
    torch.save(of.content, path)


@kind()
def a_missing_tensor(of, path, rng):
    del of.content['state_dict'][first(of.content['state_dict'])]
    torch.save(of.content, path)


@kind()
def a_renamed_tensor(of, path, rng):
    state = of.content['state_dict']
    name = rng.choice(
        ['backbone.x', first(state).upper(), first(state) + '\n\x1b[2J', 'ä']
    )
    state[name] = state.pop(first(state))
    torch.save(of.content, path)


@kind('none')
def names_that_are_none(of, path, rng):
    state = of.content['state_dict']
    state[rng.choice([3, None, b'a', ('a', 1), '', 1.5])] = torch.ones(1)
    torch.save(of.content, path)


@kind()
def in_deep_dicts(of, path, rng):
    deep: Any = of.content['state_dict']
    for _ in range(rng.choice([2, 60, 100])):
        deep = {'model': [deep]}
    torch.save({'state_dict': deep}, path)


@kind('none')
def a_dict_that_holds_itself(of, path, rng):
    key = rng.choice(['meta', 'message_hub', 'optimizer', 'state_dict'])
    inner = of.content[key]
    if key != 'state_dict':
        inner['x'] = [inner]
    else:
        of.content['state_dict'] = {'state_dict': of.content}
    torch.save(of.content, path)


@kind()
def no_checkpoint(of, path, rng):
    value = rng.choice([
        [], {}, 3, 'text', torch.ones(3), None, {'state_dict': {}},
        {'state_dict': None}, {'model': 'x'}, {'state_dict': [1]},
        {'meta': {}}, [of.content],
    ])  # fmt: skip
    torch.save(value, path)


# --- what a training goes on from ------------------------------------------


@kind('resume')
def no_place(of, path, rng):
    key = rng.choice(['epoch', 'iter'])
    value = rng.choice([-1, 1.5, '3', None, [1], True, 10**30, torch.ones(2)])
    of.content['meta'][key] = value
    torch.save(of.content, path)


@kind('resume')
def a_wrong_optimizer(of, path, rng):
    optimizer = of.content['optimizer']
    change = rng.randrange(6)
    if change == 0:
        optimizer['param_groups'] = optimizer['param_groups'][:0]
    elif change == 1:
        optimizer['state'][0]['exp_avg'] = torch.ones(3)
    elif change == 2:
        optimizer['state'][0]['exp_avg'].view(-1)[0] = float('nan')
    elif change == 3:
        optimizer['param_groups'][0]['lr'] = rng.choice(
            [float('nan'), 'a', None, -1.0]
        )
    elif change == 4:
        optimizer['state'] = rng.choice([{}, [1], 'a'])
    else:
        of.content['optimizer'] = rng.choice([None, [], 'a', {'a': 1}])
    torch.save(of.content, path)


@kind('resume')
def wrong_schedules(of, path, rng):
    of.content['param_schedulers'] = rng.choice(
        [None, [], [{}], 'a', {'a': 1}, [1, 2], [{'last_step': 'x'}] * 9]
    )
    torch.save(of.content, path)


@kind('resume')
def a_wrong_history(of, path, rng):
    of.content['message_hub'] = rng.choice(
        [None, [], 'a', {'runtime_info': 3}, {'log_scalars': [1]},
         {'log_scalars': {'a': 1}, 'runtime_info': {}, 'resumed_keys': 3}]
    )  # fmt: skip
    torch.save(of.content, path)


@kind('none')
def a_wrong_note(of, path, rng):
    meta = of.content['meta']
    meta['seed'] = rng.choice([meta.get('seed'), 'a', -1, 2**70, None])
    meta['dataset_meta'] = rng.choice([None, 3, {'classes': 3}, {}])
    meta['mmuniformer_run'] = rng.choice(
        ['{', '[]', '{"done": -1}', '{"done": "a"}', 3, '{"done": 1e99}']
    )
    torch.save(of.content, path)
