"""Class lists of the Kinetics heads.

The authors' class numbers are not alphabetical. ``k400.txt`` and ``k600.txt``
have one class per line, line 1 is class 0, by Kinetics' own spelling: with
the brackets, which the authors' K600 lists lack, 'hugging (not baby)' comes
before 'hugging baby' and 'curling (sport)' before 'curling hair'.

Everywhere in this package an order has one of the two names of ``ORDERS``:
that of the labels (data sets, :class:`..load.Options`) and that of a head
(the note in a file, the table of published files).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ...errors import UserError
from .. import transfer
from ..files import Shapes
from ..published import Release

LISTS = {400: 'k400.txt', 600: 'k600.txt'}
ORDERS = ('authors', 'alphabetical')


def check_order(order: str | None) -> None:
    """Raises UserError unless it is a member of ``ORDERS``, or None."""
    if order is not None and order not in ORDERS:
        raise UserError(
            f"class_order={order!r}: wanted 'authors' or 'alphabetical'"
        )


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


def head_order(
    state: Mapping[str, Tensor],
    note: Mapping[str, Any],
    release: Release | None = None,
) -> tuple[str, str]:
    """In which order a file's head has the classes of Kinetics.

    Args:
        state: Content of the file.
        note: What it says of itself.
        release: What published file it is.

    Returns:
        A member of ``ORDERS``, or '' if nothing tells; and what tells.
    """
    if note.get('class_order') in ORDERS:
        return note['class_order'], 'by a note in the file'
    if release and release.class_order:
        return release.class_order, f'as the published {release.name}'
    if len(state.get('head.weight', ())) in LISTS:
        return 'authors', "by the authors' names of its tensors"
    return '', 'neither name nor note of the file tells'


def arrange(
    state: Mapping[str, Tensor],
    own: Shapes,
    note: Mapping[str, Any],
    release: Release | None = None,
    wanted: str | None = None,
) -> tuple[transfer.State, list[str]]:
    """Gives a Kinetics head the order of the labels.

    Args:
        state: Content of a file.
        own: Shapes of the model's tensors.
        note: What the file says of itself.
        release: What published file it is.
        wanted: The order of the labels, if it is known.

    Returns:
        The tensors, and the two orders in words if the model has such a head.
    """
    heads = {transfer.common_name(n): shape[:1] for n, shape in own.items()}
    classes = number_of_classes(state)
    image = any(v.ndim == 4 for n, v in state.items() if 'pos_embed' in n)
    if (
        classes not in LISTS
        or heads.get('head.weight') != (classes,)
        or (image and not wanted)
    ):
        return dict(state), []
    order, why = head_order(state, note, release)
    line = f'classes: in the head {order or "of unknown order"} ({why})'
    line += f', in the labels {wanted}' if wanted else ', left so'
    if wanted and order and wanted != order:
        return reorder(state, order, wanted), [f'{line}: head permuted']
    return dict(state), [line]


def number_of_classes(state: Mapping[str, Tensor]) -> int:
    """Classes of a classifier's head; 0 without one."""
    common = {transfer.common_name(n): value for n, value in state.items()}
    return len(common.get('head.weight', ()))


def reorder(
    state: Mapping[str, Tensor], order: str, wanted: str
) -> transfer.State:
    """Permutes the classes of a Kinetics file from one order to the other.

    Args:
        state: Tensors by the authors' names or those of any host.
        order: What they have, of ``ORDERS``.
        wanted: What they are to have.

    Raises:
        UserError: There is no classifier of Kinetics.
    """
    classes = number_of_classes(state)
    if not classes:
        raise UserError('class order: there is no classifier in the file')
    index = alphabetical(classes)
    if order == wanted:
        return dict(state)
    if wanted == 'authors':
        index = [index.index(number) for number in range(len(index))]
    return transfer.reorder_classes(state, index)
