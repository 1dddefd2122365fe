"""Pictures that decoders read in silence although something is wrong."""

import io
import warnings
from typing import Any

from mmengine import fileio
from PIL import Image, UnidentifiedImageError

from ..errors import LocalUserError

# Pillow makes white of most of what these hold.
DEEP = ('I', 'F', 'I;16', 'I;16B', 'I;16L')


def check_picture(path: str, backend: str) -> None:
    """Refuses a picture that is cut short, or too deep for its decoder.

    OpenCV fills up with grey what is missing of a file that was cut.

    Args:
        path: A file or URL.
        backend: Who will decode it for the network: 'cv2', 'pillow', ...

    Raises:
        LocalUserError: It is damaged, or Pillow would clip its values.
    """
    content = fileio.get(path)
    if not content:
        raise LocalUserError('an empty file')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of large pictures
            picture = Image.open(io.BytesIO(content))
            _read(picture, backend)
    except Image.DecompressionBombError:
        return
    except UnidentifiedImageError as error:
        if backend == 'pillow':
            raise LocalUserError('no picture that Pillow knows') from error
        return  # OpenCV may know it
    except (OSError, SyntaxError, EOFError) as error:
        raise LocalUserError(f'a damaged picture: {error}') from error


def _read(picture: Any, backend: str) -> None:
    if backend == 'pillow':
        if picture.mode in DEEP:
            raise LocalUserError(
                f'{picture.mode} is its mode, more than 8 bits per pixel, '
                f'which Pillow, by which this model reads, would clip; '
                f'wanted 8 bits'
            )
        return  # Pillow itself tells when it reads
    if picture.format == 'JPEG':  # an eighth of the size is soon read
        picture.draft('RGB', (picture.width // 8, picture.height // 8))
    picture.load()
