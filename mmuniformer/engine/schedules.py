"""Schedules of a resumed run: the config's, at the place of the checkpoint."""

from collections.abc import Mapping
from typing import Any

COUNTERS = {
    'optimizer',
    'last_step',
    'base_values',
    'end',  # follows from the length of the run
    'verbose',
    '_global_step',
    '_last_value',
}


def constants(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a schedule was made with; not how far it is."""
    # The milestones are a dictionary, of how often each was given.
    plain = (int, float, str, bool, list, tuple, type(None), dict)
    return {
        key: dict(value) if isinstance(value, dict) else value
        for key, value in state.items()
        if key not in COUNTERS and isinstance(value, plain)
    }


def states(schedules: Any) -> Any:
    """What each of a list of schedules was made with; else nothing."""
    if not isinstance(schedules, list):
        return None  # one list per optimizer, which no recipe here has
    return [constants(vars(schedule)) for schedule in schedules]


def changes(own: Any, saved: Any) -> list[str]:
    """How the schedules of a config differ from those of a checkpoint.

    Args:
        own: What :func:`states` gives for those of the config.
        saved: Their states in the checkpoint.
    """
    if not isinstance(own, list) or not isinstance(saved, (list, tuple)):
        return []
    if len(own) != len(saved):
        return [f'{len(saved)} schedules before, {len(own)} now']
    found = []
    for number, (now, state) in enumerate(zip(own, saved, strict=True)):
        before = constants(state)
        for key in sorted({*now, *before}):
            if now.get(key) != before.get(key):
                found.append(
                    f'param_scheduler.{number}.{key}: {before.get(key)} '
                    f'before, {now.get(key)} now'
                )
    return found


def replay(
    schedules: list[Any], optimizer: Any, epoch_length: int, iterations: int
) -> None:
    """Brings new schedules to where they would be in a run of their own.

    Args:
        schedules: Just built, in the order of the config.
        optimizer: Its groups get the rates.
        epoch_length: Iterations of an epoch; 0 if there are none.
        iterations: How many are done.
    """
    optimizer._global_step = max(iterations - 1, 0)
    by_step = [s for s in schedules if not s.by_epoch]
    by_epoch = [s for s in schedules if s.by_epoch]
    for iteration in range(iterations):
        for schedule in by_step:
            schedule.step()
        if epoch_length and (iteration + 1) % epoch_length == 0:
            for schedule in by_epoch:
                schedule.step()


def rates(optimizer: Any) -> str:
    """The first and the other learning rates, for people."""
    values = sorted({group['lr'] for group in optimizer.param_groups})
    return ' to '.join(f'{v:.4g}' for v in {values[0]: 0, values[-1]: 0})


def other_options(own: list[dict], saved: Any) -> list[str]:
    """Options of the optimizer that differ from those of a checkpoint.

    Args:
        own: Groups of parameters as the config makes them.
        saved: Those in the checkpoint.
    """
    found: dict[str, None] = {}
    if not isinstance(saved, list) or len(saved) != len(own):
        return []  # other groups: merged, or torch says what does not fit
    for now, before in zip(own, saved, strict=True):
        for key, value in now.items():
            if key in ('params', 'lr', 'initial_lr'):
                continue
            if key in before and _differ(before[key], value):
                found[f'{key}={before[key]}, not {value}'] = None
        rate = now.get('initial_lr', now.get('lr'))
        old = before.get('initial_lr', before.get('lr'))
        if _differ(old, rate):
            found[f'lr={old}, not {rate}'] = None
    return list(found)


def _differ(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return list(one) != list(other)
    return one != other
