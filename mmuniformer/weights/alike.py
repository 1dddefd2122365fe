"""Many small files of one tensor each: read in a fifth of the time.

What takes time in :func:`.reading.read` is the structure of a file, not its
numbers. Files that one program wrote have their structure in common.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import torch

from .reading import read

# Parts in which such files differ: numbers, and a hash of the file.
OWN = ('data/0', '.data/serialization_id')
MOST_FORMS = 64


def form_of(data: bytes) -> tuple[bytes, bytes]:
    """What a zipped file has in common with others, and its numbers.

    Args:
        data: Content of the file.

    Returns:
        All bytes but those of its own: numbers, sums and the name of its
        folder, whose length alone moves the rest.

    Raises:
        Exception: A sum is wrong, or it is no zipped file of one tensor.
    """
    own, form = [], data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        folder = parts[0].filename.partition('/')[0] + '/'
        for part in parts:
            if part.filename.removeprefix(folder) in OWN:
                own += [archive.read(part), part.CRC.to_bytes(4, 'little')]
    for content in [*own, folder.encode()]:
        form = form.replace(content, b'')
    return form, own[0]


class Alike:
    """Reads files as :func:`.reading.read` does, and keeps how they were.

    A file that is byte for byte one that was read, but for its numbers, is
    not unpickled; their sum is checked. Whatever else a file is,
    :func:`.reading.read` reads it or names it.
    """

    def __init__(self) -> None:
        self.forms: dict[bytes, torch.Tensor] = {}

    def read(self, path: Path) -> Any:
        """The content of a file, in CPU memory.

        Raises:
            UserError: As of :func:`.reading.read`.
        """
        try:
            with open(path, 'rb') as file:
                form, numbers = form_of(file.read())
        except Exception:  # what it is, the other says
            return read(path)
        if form in self.forms:
            return filled(self.forms[form], numbers)
        content = read(path)
        if is_plain(content, numbers) and len(self.forms) < MOST_FORMS:
            self.forms[form] = content
        return content


def filled(like: torch.Tensor, numbers: bytes) -> torch.Tensor:
    """A tensor like another one, of these numbers."""
    flat = torch.frombuffer(bytearray(numbers), dtype=like.dtype)
    return flat.view(like.shape)


def is_plain(content: Any, numbers: bytes) -> bool:
    """Whether something is a tensor of these very bytes, in order."""
    return (
        type(content) is torch.Tensor
        and content.layout == torch.strided
        and content.is_contiguous()
        and not content.requires_grad
        and not content.is_quantized
        and content.dim() > 0
        and content.numel() * content.element_size() == len(numbers) > 0
        and content.view(-1).view(torch.uint8).numpy().tobytes() == numbers
    )
