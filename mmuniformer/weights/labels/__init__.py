"""Class lists of the Kinetics heads.

The authors' class numbers are not alphabetical. ``k400.txt`` and ``k600.txt``
have one class per line, line 1 is class 0, by Kinetics' own spelling: with
the brackets, which the authors' K600 lists lack, 'hugging (not baby)' comes
before 'hugging baby' and 'curling (sport)' before 'curling hair'.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ...errors import UserError
from .. import transfer

LISTS = {400: 'k400.txt', 600: 'k600.txt'}


def class_names(classes: int) -> list[str]:
    """Classes of Kinetics-400 or -600 in the authors' order.

    Args:
        classes: 400 or 600.

    Raises:
        UserError: There is no list of so many classes.
    """
    if classes not in LISTS:
        raise UserError(
            f'class order: a head with {classes} classes; only Kinetics-400 '
            f'and -600 have an order of the authors'
        )
    text = (Path(__file__).parent / LISTS[classes]).read_text('utf-8')
    return text.splitlines()


def alphabetical(classes: int) -> list[int]:
    """The authors' class numbers in the order of mmaction2's label maps.

    Args:
        classes: 400 or 600.
    """
    names = class_names(classes)
    return sorted(range(classes), key=names.__getitem__)


def in_authors_order(
    state: Mapping[str, Tensor], note: Mapping[str, Any]
) -> bool:
    """Whether the classes of a file are in the authors' order.

    Args:
        state: Content of the file.
        note: What it says of itself; without a word, the names of the
            tensors tell whether it is a file of the authors.
    """
    kinetics = len(state.get('head.weight', ())) in LISTS
    guess = 'authors' if kinetics else None
    return note.get('class_order', guess) == 'authors'


def to_alphabetical(state: Mapping[str, Tensor]) -> transfer.State:
    """Permutes the classes of a Kinetics file from the authors' order.

    Args:
        state: Tensors by the authors' names or those of any host.
    """
    common = {transfer.common_name(name): name for name in state}
    if 'head.weight' not in common:
        raise UserError('class order: there is no classifier in the file')
    classes = len(state[common['head.weight']])
    return transfer.reorder_classes(state, alphabetical(classes))
