"""The report of a GPU, on a CPU: crashes, limits, answers, pages."""

import json
import os
import select
import subprocess
import sys
import threading
import time

import pytest
import torch
from mmengine.config import Config

from mmuniformer.analysis import roofline
from mmuniformer.analysis.gpu import (
    compiled,
    correct,
    driver,
    main,
    operators,
    pages,
    recipes,
    speed,
    suspects,
    toys,
    worker,
)
from mmuniformer.analysis.gpu.items import (
    Item,
    LeftOutError,
    Place,
    Record,
    clean,
)
from mmuniformer.engine.agreement import flatten

from ..tools.test_setup_env import load

# A part without PyTorch, which takes seconds to import.
PART = """
import json, os, sys, time
path, limit = sys.argv[1], 0.5
done = {json.loads(x)['item'] for x in open(path)} if os.path.exists(path) \
    else set()
def write(**line):
    with open(path, 'a') as file:
        file.write(json.dumps(dict(line, time=time.time())) + '\\n')
for name in ('good', 'crash', 'slow', 'last'):
    if name in done:
        continue
    write(item=name, begun=True, limit=limit)
    if name == 'crash':
        os.kill(os.getpid(), 9)
    time.sleep(60 * (name == 'slow'))
    write(item=name, result=dict(seen=name))
"""


@pytest.fixture
def place(tmp_path):
    return Place('cpu', True, str(tmp_path))


@pytest.fixture
def process(place, monkeypatch):
    """A process whose items crash and hang."""
    one = driver.Process('correct', place)
    args = [sys.executable, '-S', '-c', PART, str(one.record.path)]
    monkeypatch.setattr(one, 'command', lambda: args)
    return one


def run(process, seconds):
    process.start()
    driver.wait([process], time.time() + seconds)
    return process.record.answers()


def test_a_crash_and_a_hang_cost_one_item_each(process):
    answers = run(process, 60)
    assert list(answers) == ['good', 'crash', 'slow', 'last']
    assert answers['crash']['error'] == 'its process ended with status -9'
    assert answers['slow']['error'].startswith('took longer than')
    assert answers['last']['result'] == dict(seen='last')
    assert process.starts == 3


def test_what_time_is_too_short_for_is_left_to_the_next_call(
    process, monkeypatch
):
    monkeypatch.setattr(process, 'command', lambda: ['sleep', '60'])
    process.start()
    process.record.write('other', begun=True, limit=60)
    driver.wait([process], time.time())
    assert process.child.poll() == -9
    assert 'other' not in process.record.answers()
    assert process.record.begun() is None


def test_what_was_killed_with_the_report_is_taken_up_but_not_for_ever(
    process, monkeypatch
):
    monkeypatch.setattr(process, 'command', lambda: ['true'])
    for _ in range(driver.TRIES):
        assert 'other' not in process.record.answers()
        process.record.write('other', begun=True, limit=60)
        process.start()
        process.end()
    answer = process.record.answers()['other']
    assert answer['error'] == 'the report was killed while it ran'


def test_nothing_is_left_of_a_process_that_crashed(process, monkeypatch):
    # Its child holds the pipe open for as long as it lives.
    read, write = os.pipe()
    os.set_inheritable(write, True)
    crash = f'sleep 60 >&{write} & kill -9 $$'
    monkeypatch.setattr(process, 'command', lambda: ['bash', '-c', crash])
    monkeypatch.setattr(driver, 'STARTS', 1)
    start = subprocess.Popen
    monkeypatch.setattr(
        driver.subprocess, 'Popen',
        lambda *args, **kwargs: start(*args, **kwargs, pass_fds=[write]),
    )  # fmt: skip
    run(process, 30)
    os.close(write)
    assert select.select([read], [], [], 5)[0], 'the child lives'
    os.close(read)


def test_a_worker_ends_with_the_report(monkeypatch):
    killed = []
    monkeypatch.setattr(worker.os, 'killpg', lambda *args: killed.append(args))
    parent = os.getppid()
    monkeypatch.setattr(worker.os, 'getppid', lambda: parent)
    worker.end_with(parent + 1)
    assert killed == [(0, worker.signal.SIGKILL)]


def test_a_worker_may_be_deterministic(place, monkeypatch):
    monkeypatch.delenv('CUBLAS_WORKSPACE_CONFIG', raising=False)
    args = ['', 'suspects', '--device', 'cpu', '--folder', place.folder]
    args += ['--record', f'{place.folder}/x.jsonl', '--parent', '1']
    monkeypatch.setattr(sys, 'argv', args)
    monkeypatch.setattr(threading.Thread, 'start', lambda self: None)
    monkeypatch.setattr(worker, 'run_part', lambda *args: 0)
    with pytest.raises(SystemExit):
        worker.main()
    assert os.environ['CUBLAS_WORKSPACE_CONFIG'] == ':4096:8'


def test_time_to_import_counts():
    assert 0 < driver.age() <= driver.STARTING_SECONDS


def test_answers_are_written_one_by_one(place, monkeypatch):
    def bad(place):
        raise RuntimeError('two\nlines')

    def absent(place):
        raise LeftOutError('no such thing here')

    asked = []
    items = [
        Item('good', lambda place: asked.append(1) or dict(x=float('nan'))),
        Item('bad', bad),
        Item('absent', absent),
    ]
    monkeypatch.setattr(worker, 'items_of', lambda *_: items)
    record = Record(main.Path(place.folder) / 'correct.jsonl')
    for _ in range(2):
        assert worker.run_part('correct', place, record, '0/1') == 0
    answers = record.answers()
    assert len(asked) == 1 and answers['good']['result'] == dict(x='nan')
    assert answers['bad']['error'] == 'RuntimeError: two lines'
    page = '\n'.join(pages.lines(pages.gather(place)))
    assert '**absent: left out.** no such thing here' in page


def test_an_error_of_the_device_ends_the_process(place, monkeypatch):
    def bad(place):
        raise RuntimeError('CUDA error: an illegal memory access')

    monkeypatch.setattr(worker, 'items_of', lambda *_: [Item('bad', bad)])
    record = Record(main.Path(place.folder) / 'x.jsonl')
    assert worker.run_part('x', place, record, '0/1') == worker.BROKEN


def test_rows_beside_the_formulation_of_the_authors(place, monkeypatch):
    monkeypatch.setitem(roofline.MATRIX, 'cpu', 256)
    variants = ('plain', 'eager')
    result = clean(speed.measure('s 224', 'train', place, variants))
    first, ours = result['rows']
    assert (first['name'], ours['name']) == ('s 224 plain', 's 224 ours eager')
    assert first['ratio'] == 1 and not result['failed']
    page = '\n'.join(pages.tables({'s 224, train': result}, False))
    assert 'Aimed at: 1.5 times' in page and '| s 224 ours eager |' in page
    assert 'Memory in parts of the first row: s 224 ours eager' in page
    json.dumps(result)


def test_a_row_may_fail_in_any_way(place, monkeypatch):
    monkeypatch.setitem(roofline.MATRIX, 'cpu', 256)
    make = speed.make_step

    def absent(row, *args):
        if row.variant == 'plain':
            raise AttributeError('np.Inf')
        return make(row, *args)

    monkeypatch.setattr(speed, 'make_step', absent)
    result = speed.measure('s 224', 'inference', place, ('plain', 'eager'))
    assert result['failed'] == {'s 224 plain': 'AttributeError: np.Inf'}
    assert result['baseline'] == 's 224 ours eager'


def test_both_formulations_are_compiled():
    big = Place('cuda', False, '')
    eager = [i.name for i in speed.items(big)]
    names = [i.name for i in compiled.items(big)]
    assert set(names) < set(eager) and len(eager) == 2 * len(speed.SUBJECTS)
    goals = sum(len(s.goal) // 2 for s in speed.SUBJECTS.values())
    assert eager[:goals] == names[:goals]  # those with a goal come first
    rows = speed.rows_of('s 224', 'train', compiled.VARIANTS, big)
    assert [row.variant for row in rows] == list(compiled.VARIANTS)


def test_the_kernel_of_attention_is_named(place):
    x = torch.randn(1, 2, 5, 8)
    assert operators.chosen_backend(x, x, x) == 'FLASH_ATTENTION'
    found = operators.timed_attention([x, x, x], 1, place)
    assert 0 < found['us'] and 0 < found['step_us']


@pytest.mark.parametrize('recipe', toys.RECIPES)
def test_nothing_is_dropped_at_random(place, monkeypatch, recipe):
    monkeypatch.setattr(
        toys, 'run', lambda args, *_, **__: configs.append(args[1])
    )
    configs = []
    with pytest.raises(AttributeError):  # of what a process would have said
        toys.train(recipe, 'x', place)
    cfg = Config.fromfile(configs[0])
    rates = {
        name: value
        for name, value in flatten(cfg.to_dict())
        if 'drop' in name and name.startswith('model.')
    }
    assert rates and set(rates.values()) == {'0.0'}
    assert cfg.train_cfg.max_iters == 6


def test_a_training_in_a_group_of_one_process(place, monkeypatch):
    seen = []

    def fail(args, env, **_):
        seen.append((args, env))
        alone = 'RANK' not in env
        text = 'the last line'
        return subprocess.CompletedProcess(args, not alone, '', text)

    monkeypatch.setattr(toys.subprocess, 'run', fail)
    monkeypatch.setattr(toys, 'read_losses', lambda work: [1.0])
    with pytest.raises(RuntimeError, match='toy_group: the last line'):
        recipes.grouped(place)
    (first, env), (second, other) = seen
    assert '--launcher' not in first and 'WORLD_SIZE' not in env
    assert second[-2:] == ['--launcher', 'pytorch']
    assert other['WORLD_SIZE'] == '1' and int(other['MASTER_PORT']) > 0


@pytest.mark.parametrize(
    'run', [correct.averages, correct.checkpointing, suspects.padded_heads]
)
def test_items_on_a_cpu(place, run):
    answer = clean(run(place))
    assert all(answer.get(k, 0) < 1e-3 for k in ('different', 'float32'))
    assert answer.get('apart', 0) < 1e-5


def test_a_sum_of_images_is_the_convolution_of_clips():
    x = torch.randn(2, 3, 4, 6, 5).double()
    weight, bias = torch.randn(3, 1, 5, 5, 5).double(), torch.randn(3).double()
    found = {
        name: run(value, weight, bias)
        for name, run, value in operators.forms(x, weight, bias)
    }
    assert 'sum of images' in found
    for out in found.values():
        torch.testing.assert_close(out, found['channels first'])


@pytest.mark.parametrize(
    ('args', 'wanted'),
    [
        (['--device', 'cpu'], '--device=cpu: wanted --small'),
        (['--device', 'cpu', '--small', '--minutes', '0'], '--minutes=0.0'),
        (['--device', 'cpu', '--small'], "has answers of 'cuda'"),
    ],
)
def test_bad_options(tmp_path, capsys, args, wanted):
    (tmp_path / 'of.txt').write_text('cuda')
    with pytest.raises(SystemExit):
        main.main([*args, '--out', str(tmp_path)])
    assert wanted in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason='of CPUs')
def test_without_a_gpu(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main.main(['--out', str(tmp_path)])
    assert 'this PyTorch sees no GPU' in capsys.readouterr().err


def test_wheels_to_carry():
    carry = load('carry_wheels')
    lock = carry.pins(carry.LOCK.read_text(), '3.12', 'x86_64')
    asked = carry.read_requirements(carry.ASKED.read_text())
    there = {'numpy': '2.5.2', 'timm': '1.0.1', 'opencv-python': '4.13.0'}
    names = carry.wanted(lock, asked, there, ['decord'])
    assert {'numpy', 'mmdet', 'addict'} <= set(names)  # numpy is too new
    carried = {'torch', 'triton', 'timm', 'decord', 'opencv-python', 'pytest'}
    assert not carried & set(names)
    assert not any(name.startswith('nvidia') for name in names)
    lines = carry.hashed(names, lock).splitlines()
    assert len(lines) == len(names) and all('sha256' in x for x in lines)
