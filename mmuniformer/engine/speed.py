"""Options that make a model faster: fusion, half precision, compilation."""

import importlib.util
import os
import shutil
import sysconfig
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from torch import nn

from ..compat.old_torch import prepare_freezing
from ..errors import UserError
from ..fast.half import half_dtype, to_half
from ..fast.int8 import check_integers, to_int8
from ..models import fuse
from ..registry import HOOKS
from ..weights.load import bare_model, find_backbone
from .heap import keep_freed_memory

# Language, variable of the environment and names; on CPUs and on GPUs.
COMPILERS = (
    ('C++', 'CXX', ('g++', 'clang++', 'c++')),
    ('C', 'CC', ('gcc', 'clang')),
)


@HOOKS.register_module()
class SpeedHook(Hook):
    """Changes the backbone for speed once its weights are in place.

    Compilation takes about a minute; sizes that change add a few more
    graphs, not one per image.

    Args:
        fuse: Re-parameterise the model for testing, see
            :func:`mmuniformer.fuse`.
        compile: Compile the backbone with ``torch.compile``.
        half: Test in half precision, see
            :func:`mmuniformer.fast.half.to_half`.
        int8: Test by integers, see :func:`mmuniformer.fast.int8.to_int8`.

    Raises:
        UserError: ``compile`` without what it needs of the machine.
    """

    priority = 'VERY_LOW'  # behind what changes weights before a test

    def __init__(
        self,
        fuse: bool = False,
        compile: bool = False,
        half: bool = False,
        int8: bool = False,
    ) -> None:
        if compile:
            check_compiler(get_device())
        self.fuse = fuse
        self.compile = compile
        self.half = half
        self.int8 = int8

    def before_train(self, runner: Runner) -> None:
        """Compiles for training."""
        if self.compile:
            find_backbone(bare_model(runner.model))[1].compile()

    def before_test_epoch(self, runner: Runner) -> None:
        """Fuses, then changes the precision, then compiles."""
        model = bare_model(runner.model)
        if self.fuse:
            fuse(model.eval())
        if self.half:
            to_half(model.eval())
        if self.int8:
            to_int8(model)
        if self.compile:
            compile_for_inference(find_backbone(model)[1])


def check_compiler(device: str) -> None:
    """Checks that ``torch.compile`` can make programs for a device.

    On a CPU it writes C++. On a GPU Triton builds a small C program, which
    includes Python's headers, to launch its kernels.

    Args:
        device: 'cpu', 'cuda' or another kind.

    Raises:
        UserError: Something is missing; the message says what.
    """
    language, variable, names = COMPILERS['cuda' in device]
    known = [x for x in (os.environ.get(variable), *names) if x]
    if not any(map(shutil.which, known)):
        raise UserError(
            f'compile=True: torch.compile needs a {language} compiler; '
            f'wanted one of {", ".join(names)}, or {variable} to name one'
        )
    if 'cuda' not in device:
        return
    if importlib.util.find_spec('triton') is None:
        raise UserError(
            'compile=True: torch.compile needs Triton on a GPU; wanted pip '
            'install triton, or no --compile'
        )
    header = os.path.join(python_headers(), 'Python.h')
    if not os.path.isfile(header):
        raise UserError(
            f'compile=True: Triton needs the headers of Python, and there is '
            f'no {header}; wanted the package python3-dev, or a Python that '
            f'has them'
        )


def python_headers() -> str:
    """The folder where Triton looks for Python's headers.

    Debian's Python installs below /usr/local, but its headers are not there.
    """
    scheme = sysconfig.get_default_scheme()
    scheme = 'posix_prefix' if scheme == 'posix_local' else scheme
    return sysconfig.get_path('include', scheme)


def compile_for_inference(
    model: nn.Module, dynamic: bool | None = None
) -> None:
    """Compiles a model whose weights do not change any more, in place.

    On a CPU the weights become constants of the graph, packed for its
    kernels (not in float64, for which there are none), and the process keeps
    the memory that it frees. To be called without gradients.

    Args:
        model: Model in eval mode.
        dynamic: Whether graphs are for sizes that change; None, as
            ``torch.compile`` finds it: after the first change.
    """
    weight = next(model.parameters())
    frozen = weight.device.type == 'cpu' and weight.dtype != torch.float64
    prepare_freezing(frozen)
    keep_freed_memory()
    model.compile(dynamic=dynamic, options={'freezing': frozen})


def add_speed(
    cfg: Config,
    fuse: bool = False,
    compile: bool = False,
    half: bool = False,
    int8: bool = False,
) -> None:
    """Adds the hook to a config, if there is something to do for it.

    Args:
        cfg: Whole config; changed in place.
        fuse: See :class:`SpeedHook`.
        compile: See :class:`SpeedHook`.
        half: Test in half precision: bfloat16 weights of the backbone on a
            CPU, float16 by autocast of the whole model on a GPU.
        int8: See :class:`SpeedHook`; the model is fused, too.

    Raises:
        UserError: ``half`` and ``int8``, or a device without them.
    """
    hooks = cfg.setdefault('default_hooks', {})
    fuse = fuse or int8
    half = set_precision(cfg, get_device(), half or None, int8)
    if fuse or half:
        # It would exchange weights with the fused model after the test; the
        # file's averaged weights are loaded without it, too.
        hooks.pop('ema', None)
        cfg.custom_hooks = [
            hook
            for hook in cfg.get('custom_hooks') or ()
            if not _averages(hook)
        ]
    if fuse or compile or half:
        hooks['speed'] = dict(
            type='mmuniformer.SpeedHook', fuse=fuse, compile=compile,
            half=half, int8=int8,
        )  # fmt: skip


def set_precision(
    cfg: Config, device: str, half: bool | None, int8: bool
) -> bool:
    """Has a config test in half precision, by integers, or in neither.

    Args:
        cfg: Whole config; changed in place.
        device: 'cpu', 'cuda', 'cuda:1'.
        half: Whether to: by autocast on a GPU; None: as the config says.
        int8: See :class:`SpeedHook`: without autocast, in which a layer
            would compute in half precision.

    Returns:
        Whether the weights are to be changed, see
        :func:`mmuniformer.fast.half.to_half`: on a CPU.

    Raises:
        UserError: ``half`` and ``int8``, or a device without them.
    """
    if int8:
        if half:
            raise UserError('half=True, int8=True: wanted one of them')
        check_integers(device)
        half = False
    if half is None:
        return False
    low = half_dtype(device) if half else None
    fp16 = low == torch.float16
    cfg.test_cfg = dict(cfg.get('test_cfg') or {}, fp16=fp16)
    return low == torch.bfloat16


def _averages(hook: Any) -> bool:
    """Whether a hook, or the config of one, is an EMAHook."""
    return isinstance(hook, dict) and hook.get('type') in ('EMAHook', EMAHook)
