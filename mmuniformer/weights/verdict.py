"""Whether a file fits a model: what may be new, and what is refused."""

import re

from ..errors import UserError
from . import files, transfer

# Output norms of dense models: no classification file holds them.
NEW_IN_DENSE = re.compile(r'norm[1-4]\.(weight|bias)')
MIN_COVERAGE = 0.99


def is_body(name: str) -> bool:
    """Whether a backbone cannot do without this tensor of its file."""
    return bool(
        transfer.BACKBONE.match(name) and not NEW_IN_DENSE.fullmatch(name)
    )


def check(
    match: files.Match,
    prefix: str,
    keys: list[str],
    starts: bool,
    allow_partial: bool | str = False,
) -> None:
    """Raises UserError unless a file fits a model.

    Args:
        match: The model compared with the file.
        prefix: Where the backbone is in the model.
        keys: Names of all tensors in the file.
        starts: Whether the heads may be new.
        allow_partial: As of :class:`Options`.
    """
    head = [n for n in match.mismatched if not n.startswith(prefix)]
    if head:
        raise UserError(
            f'{len(head)} tensors differ in shape, so it is of another '
            f'model or class count: {files.brief(head)}'
        )
    total = len(match.matched) + len(match.missing)
    if match.missing and not starts and allow_partial is not True:
        raise UserError(
            f'only {len(match.matched)} of {total} tensors of the model '
            f'are in it; missing: {files.brief(match.missing)}; the file '
            f'has: {files.brief(keys)}'
        )
    body = files.Match(
        *(
            [n.removeprefix(prefix) for n in names if n.startswith(prefix)]
            for names in match
        )
    )
    # All of them: not every file has the prefix.
    body = body._replace(unexpected=match.unexpected)
    check_body(body, keys, allow_partial)


def check_body(
    match: files.Match, keys: list[str], allow_partial: bool | str = False
) -> None:
    """Raises UserError unless weights are those of this backbone.

    Args:
        match: The backbone compared with the weights, by its own names.
        keys: Names of all tensors in the file.
        allow_partial: As of :class:`Options`.
    """
    if match.mismatched:
        raise UserError(
            f'{len(match.mismatched)} tensors differ in shape, so it is of '
            f'another size or kind: {files.brief(match.mismatched)}'
        )
    if allow_partial is True:
        return
    missing = [n for n in match.missing if not NEW_IN_DENSE.fullmatch(n)]
    if allow_partial:
        missing = [n for n in missing if not re.search(allow_partial, n)]
    total = len(match.matched) + len(missing)
    if not match.matched or len(match.matched) < MIN_COVERAGE * total:
        raise UserError(
            f'only {len(match.matched)} of {total} tensors of the backbone '
            f'are in it; missing: {files.brief(missing)}; the file has: '
            f'{files.brief(keys)}'
        )
    more = [
        name
        for name in match.unexpected
        if transfer.BODY.match(transfer.common_name(name))
    ]
    if more:
        raise UserError(
            f'{len(more)} of its tensors have no place in the backbone, so '
            f'it is of another size or kind: {files.brief(more)}'
        )
