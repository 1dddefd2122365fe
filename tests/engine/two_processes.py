"""What two processes see; started by test_two_processes.py under torchrun."""

import json
import os
import sys
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.evaluator import Evaluator

from mmuniformer.engine import agreement, heartbeat, launch, signals
from mmuniformer.errors import UserError

from .runs import Ask, Net, Score, last, make, states
from .test_finite import Spoiled


def refused(function, *args):
    """What a check says, or None."""
    try:
        function(*args)
    except UserError as error:
        return str(error)
    return None


def configs():
    """Two that differ by the rate, and by where the data lies."""
    rank = get_rank()
    cfg = dict(lr=0.1 * (1 + rank), data_root=f'/data/{rank}', work_dir='w')
    paths = dict(lr=0.1, data_root=f'/data/{rank}', img=f'/data/{rank}/img')
    return [refused(agreement.same_config, Config(c)) for c in (cfg, paths)]


def weights():
    torch.manual_seed(get_rank())
    return refused(agreement.same_weights, Net(), 'x.pth')


def no_shared_folder(folder):
    """The second one resumes in a folder without the checkpoint."""
    own = folder if get_rank() == 0 else folder / 'other'
    own.mkdir(exist_ok=True)
    return refused(make(own, 'epoch', resume=True, model=Net()).train)


def wrapped(folder, hook, resume=False, **options):
    wrapper = dict(type='MMDistributedDataParallel', device_ids=None)
    cfg = Config(dict(model_wrapper_cfg=wrapper))
    return make(
        folder, 'epoch', hook, resume, cfg=cfg, launcher='pytorch', **options
    )


def resumed(folder):
    """One is asked to end; both stop, and end as an uninterrupted run."""
    wrapped(folder / 'whole', None).train()
    first = Ask(8 // 2 if get_rank() else None)
    said = ''
    try:
        wrapped(folder / 'cut', first).train()
    except signals.Stopped as stopped:
        said = str(stopped)
    wrapped(folder / 'cut', None, True).train()
    one, other = states(last(folder / 'whole')), states(last(folder / 'cut'))
    return said, [n for n in one if not torch.equal(one[n], other[n])]


def not_finite(folder):
    """The bad sample is in a batch of one process; both skip the step."""
    data = dict(
        dataset=Spoiled(),
        batch_size=2,
        sampler=dict(type='DefaultSampler', shuffle=True),
    )
    hooks = dict(
        finite=dict(type='mmuniformer.FiniteHook'),
        checkpoint=dict(type='CheckpointHook', interval=1),
    )
    runner = wrapped(
        folder / 'nan', None, train_dataloader=data, default_hooks=hooks
    )
    runner.train()
    finite = all(
        t.isfinite().all() for t in runner.model.state_dict().values()
    )
    hook = next(h for h in runner.hooks if type(h).__name__ == 'FiniteHook')
    weights = sum(float(p.abs().sum()) for p in runner.model.parameters())
    return bool(finite), hook.skipped, weights


def nodes(folder):
    """Scores of nodes that work in one folder, and each in its own."""
    here, seen = os.getcwd(), []
    os.environ['LOCAL_WORLD_SIZE'] = '1'
    for own in (folder, folder / f'of_{get_rank()}'):
        own.mkdir(exist_ok=True)
        os.chdir(own)
        evaluator = Evaluator(Score())
        agreement.collect_results(evaluator)
        evaluator.metrics[0].results = [get_rank()]
        device = evaluator.metrics[0].collect_device
        seen.append([device, evaluator.evaluate(2)])
    os.chdir(here)
    return seen


def main(folder):
    launch.start_group(dict(mp_cfg=dict(mp_start_method='fork')))
    results = dict(
        resumed=resumed(folder),
        not_finite=not_finite(folder),
        configs=configs(),
        weights=weights(),
        nodes=nodes(folder),
    )
    results['folder'] = no_shared_folder(folder / 'cut')
    (folder / f'{get_rank()}.json').write_text(json.dumps(results))
    heartbeat.end()
    os._exit(0)


if __name__ == '__main__':
    main(Path(sys.argv[1]))
