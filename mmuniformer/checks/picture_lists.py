"""Lists of ``path label``, and the labels of other lists of pictures."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from .findings import Findings
from .pictures import listing


def read_list(
    path: str, labelled: bool, found: Findings
) -> list[tuple[int, str, int]]:
    """Reads a list as mmpretrain does.

    Args:
        path: The list.
        labelled: Whether its lines have a label.
        found: Gets the wrong lines, which are left out.

    Returns:
        Number of the line, path and label of each picture.
    """
    samples = []
    try:
        lines = Path(path).read_text('utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        found.error('list', f'ann_file={path!r} cannot be read ({error})')
        return []
    name = f'ann_file={path!r}'
    if lines and lines[0].startswith('\ufeff'):
        found.error(
            'list',
            f'{name} begins with a byte order mark, which counts as a part '
            f'of the first path; save it as UTF-8 without one',
        )
    for number, line in enumerate(lines, 1):
        if not labelled:
            samples.append((number, line, -1))
            continue
        parts = line.strip().rsplit(' ', 1)
        try:
            label = int(parts[1])
        except (IndexError, ValueError):
            found.error(
                'list',
                f"{name}, line {number}: {line!r:.80}; wanted 'PATH LABEL'",
            )
            continue
        samples.append((number, parts[0], label))
    return samples


def check_list(
    name: str,
    samples: list[tuple[int, str, int]],
    folder: str,
    classes: int | None,
    found: Findings,
) -> None:
    """Checks paths and labels of a list.

    Args:
        name: The list, as it is called in messages.
        samples: Of :func:`read_list`.
        folder: Where the pictures are.
        classes: How many there are; None where labels are not read.
        found: Gets what is wrong.
    """
    check_there(name, [os.path.join(folder, p) for _, p, _ in samples], found)
    if classes is None:
        return
    labels = ((f'{name}, line {n}', label) for n, _, label in samples)
    check_range(labels, classes, found)
    check_twice(name, samples, found)


def check_there(
    name: str,
    paths: list[str],
    found: Findings,
    exist: Callable[[list[str]], set[str]] = listing,
    what: str = 'pictures',
) -> None:
    """Checks that the pictures of a list exist.

    Args:
        name: The list, as it is called in messages.
        paths: The pictures.
        found: Gets what is wrong.
        exist: Says which of them are there.
        what: How they are called.
    """
    present = exist(paths)
    missing = [path for path in paths if path not in present]
    found.each(
        f'missing {what}',
        missing,
        '{} does not exist',
        f'{len(missing)} of {len(paths)} {what} in {name} do not exist, '
        f'such as {missing[:1]}',
    )


def check_range(
    labels: Iterable[tuple[str, int]], classes: int, found: Findings
) -> None:
    """Checks that labels are from 0 to one less than the classes.

    Args:
        labels: Where a label is, and the label.
        classes: How many there are.
        found: Gets what is wrong.
    """
    least = classes
    strange = []
    for place, label in labels:
        least = min(least, label)
        if not 0 <= label < classes:
            strange.append((place, label))
    hint = ''
    if least == 1 and {label for _, label in strange} == {classes}:
        hint = ': the labels begin at 1, subtract 1 from all of them'
    for place, label in strange:
        found.error(
            'label of no class',
            f'{place}: label {label}, but {classes} classes; wanted labels '
            f'from 0 to {classes - 1}{hint}',
        )


def check_twice(
    name: str, samples: Iterable[tuple[int, str, int]], found: Findings
) -> None:
    """Notes what is in a list with two labels.

    Args:
        name: The list, as it is called in messages.
        samples: Number of the line, path and label of each sample.
        found: Gets what is wrong.
    """
    labels: dict[str, int] = {}
    for line, path, label in samples:
        if labels.setdefault(path, label) != label:
            found.warn(
                'two labels',
                f'{name}, line {line}: {path!r} has label {label}, and '
                f'{labels[path]} in another line',
            )
