"""One set of BatchNorm statistics for validation in several processes."""

from mmengine.dist import broadcast
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import _BatchNorm

from ..registry import HOOKS


@HOOKS.register_module()
class SameBuffersHook(Hook):
    """Gives all processes the BatchNorm statistics of the first.

    Each process collects its own while training, and the checkpoint holds
    those of the first. With this hook a validation during training gives the
    numbers of a later test (the authors' framework did the same in its
    evaluation hook, ``broadcast_bn_buffer``).
    """

    priority = 'LOW'  # behind EMAHook, whose statistics are validated

    def before_val_epoch(self, runner: Runner) -> None:
        """Broadcasts the running means and variances."""
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm) and module.track_running_stats:
                broadcast(module.running_mean, 0)
                broadcast(module.running_var, 0)
