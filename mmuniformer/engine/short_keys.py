"""Short keys that nobody applied stop a run."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..errors import UserError
from ..registry import HOOKS

# Of the short keys, those that configs of others do not have for themselves.
OURS = ('frames', 'frame_interval', 'input_size', 'policy', 'epochs', 'iters')


@HOOKS.register_module()
class ShortKeysHook(Hook):
    """Refuses a config whose short keys are still there.

    That is one with ``custom_imports`` of its own in the place of ours, read
    by a host's tool that knows nothing of this package.
    """

    priority = 'HIGHEST'

    def before_run(self, runner: Runner) -> None:
        """Looks at the config of the run.

        Raises:
            UserError: There is a short key in it.
        """
        left = [key for key in OURS if key in runner.cfg]
        if left:
            key = left[0]
            raise UserError(
                f'{key}={runner.cfg[key]!r}: nothing has applied it; wanted '
                f"'mmuniformer.settings.on_load' in custom_imports.imports, "
                f'as it is in default_runtime.py'
            )
