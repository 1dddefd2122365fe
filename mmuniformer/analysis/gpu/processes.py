"""Two processes on one device: gradients, SyncBN, and how they end."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ...engine.gradients import keep_strides
from ...models.uniformer import UniFormer
from .items import LeftOutError, Place, Result, error

SIZE: dict[str, Any] = dict(
    depths=(1, 1, 2, 1),
    embed_dims=(16, 32, 64, 96),
    head_dim=16,
    stems=('conv',) * 4,
)
BATCH = 4


class Net(nn.Module):
    """A backbone whose BatchNorms may be synchronised, and a loss."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = UniFormer(SIZE)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """A random loss of images (B, 3, H, W); weights: (B, C)."""
        return (self.backbone(x)[0].mean((2, 3)) * weights).mean()


def batch() -> tuple[Tensor, Tensor]:
    """Images and weights, the same in all processes."""
    torch.manual_seed(1)
    images = torch.randn(BATCH, 3, 64, 64)
    return images, torch.randn(BATCH, SIZE['embed_dims'][-1])


def compare(place: Place) -> Result:
    """Gradients of two processes against those of one with all images."""
    if not dist.is_available():
        raise LeftOutError('this PyTorch has no torch.distributed')
    results: Result = {}
    backends = ['gloo']
    if place.device == 'cuda' and torch.cuda.device_count() > 1:
        backends.append('nccl')
    for backend in backends:
        with tempfile.TemporaryDirectory() as folder:
            mp.spawn(_work, (place.device, backend, folder), nprocs=2)
            answer = json.loads((Path(folder) / '0.json').read_text())
        results[backend] = answer
    return results


def _work(rank: int, device: str, backend: str, folder: str) -> None:
    if device == 'cuda':
        count = torch.cuda.device_count()
        torch.cuda.set_device(rank % count)
    dist.init_process_group(
        backend, f'file://{folder}/store', rank=rank, world_size=2
    )
    # In float64, of which no device rounds the factors.
    whole, model = (Net().to(device).double() for _ in range(2))
    synced = device == 'cuda'
    if synced:
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    else:  # SyncBN wants a GPU; eval statistics make the shares independent
        whole.eval()
        model.eval()
    ids = [torch.cuda.current_device()] if synced else None
    wrapped = DistributedDataParallel(model, device_ids=ids)
    keep_strides(wrapped)
    x, weights = (t.to(device).double() for t in batch())
    whole(x, weights).backward()
    wrapped(x[rank::2], weights[rank::2]).backward()
    worst = max(
        error(p.grad, q.grad)
        for p, q in zip(model.parameters(), whole.parameters())
        if q.grad is not None and q.grad.abs().max() > 1e-6  # not 0
    )
    if rank == 0:
        answer = dict(sync_bn=synced, gradients=worst)
        (Path(folder) / '0.json').write_text(json.dumps(answer))
    dist.destroy_process_group()


ALONE = """
import torch, warnings
from mmengine.config import Config
from mmuniformer.engine import launch
launch.prepare_processes(Config(dict(model={})), 'pytorch')
x = torch.ones(4, device='cuda')
torch.distributed.all_reduce(x)
print('backend', torch.distributed.get_backend(), x.sum().item())
"""


def nccl_alone(place: Place) -> Result:
    """A group of NCCL begins and ends as our tools have it."""
    if place.device != 'cuda':
        raise LeftOutError('NCCL is of GPUs')
    env = dict(
        os.environ, RANK='0', WORLD_SIZE='1', LOCAL_RANK='0',
        MASTER_ADDR='127.0.0.1', MASTER_PORT='29544',
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, '-c', ALONE],
        env=env, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    return dict(
        status=done.returncode,
        said=done.stdout.strip(),
        warnings=[x for x in done.stderr.splitlines() if 'arn' in x][:5],
    )
