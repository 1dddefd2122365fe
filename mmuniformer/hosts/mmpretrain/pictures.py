"""For mmpretrain: its transforms of training, with the same pixels, sooner.

They draw the numbers of their base classes and give the pixels that these
give with Pillow, bit for bit; pictures stay arrays (H, W, 3) in BGR, so that
any other transform of mmpretrain may stand between them. In memory some have
their channels one after another, as they are packed.
"""

import io
from functools import cache
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import LoadImageFromFile as Load
from mmcv.transforms import RandomFlip as Flip
from mmengine import fileio
from mmpretrain.datasets.transforms import PackInputs as Pack
from mmpretrain.datasets.transforms import RandomResizedCrop as Crop
from PIL import Image

from ...errors import UserError
from ...registry import TRANSFORMS
from ..pixels.planes import is_plain, mirrored, planes_of
from .resample import prepare, resized

FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2 | cv2.IMREAD_IGNORE_ORIENTATION,
    4: cv2.IMREAD_REDUCED_COLOR_4 | cv2.IMREAD_IGNORE_ORIENTATION,
    8: cv2.IMREAD_REDUCED_COLOR_8 | cv2.IMREAD_IGNORE_ORIENTATION,
}
# Start of frame: baseline, extended, progressive. Others are left to Pillow.
FRAMES = (0xC0, 0xC1, 0xC2)
LARGEST = 80_000_000  # pixels, above which Pillow warns


@cache
def decodes_alike() -> bool:
    """Whether OpenCV and Pillow decode a JPEG picture to the same pixels.

    With the libjpeg-turbo of their wheels they do.
    """
    noise = np.random.default_rng(0).integers(0, 256, (9, 13, 3), np.uint8)
    for subsampling in (0, 2):
        file = io.BytesIO()
        picture = Image.fromarray(noise).resize((61, 47))
        picture.save(file, 'JPEG', quality=80, subsampling=subsampling)
        data = np.frombuffer(file.getvalue(), np.uint8)
        found = cv2.imdecode(data, FLAGS)
        wanted = np.asarray(Image.open(file))[..., ::-1]
        if found is None or not np.array_equal(found, wanted):
            return False
    return True


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Height and width of a whole JPEG picture of three channels.

    Returns:
        None for anything else, pictures that are cut short among it.
    """
    if data[:2] != b'\xff\xd8' or data[-2:] != b'\xff\xd9':
        return None
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in FRAMES:
            bits, channels = data[place + 4], data[place + 9]
            height = int.from_bytes(data[place + 5 : place + 7], 'big')
            width = int.from_bytes(data[place + 7 : place + 9], 'big')
            fits = 0 < height * width < LARGEST
            good = (bits, channels) == (8, 3) and fits
            return (height, width) if good else None
        if marker == 0xFF:  # filling
            place += 1
            continue
        if 0xC3 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return None
        place += 2 + int.from_bytes(data[place + 2 : place + 4], 'big')
    return None


def decode(data: bytes, draft: int = 0) -> np.ndarray | None:
    """A JPEG picture (H, W, 3) in BGR, as Pillow decodes it.

    Args:
        data: Content of a file.
        draft: Decode at a half, a quarter or an eighth of the size, as long
            as the short side does not become less than so many pixels; 0:
            never.

    Returns:
        None for what OpenCV is not known to decode alike.
    """
    size = jpeg_size(data)
    if size is None or not decodes_alike():
        return None
    flags = FLAGS
    for scale in REDUCED if draft else ():
        if min(size) // scale >= draft:
            flags = REDUCED[scale]
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


@TRANSFORMS.register_module()
class LoadImageFromFile(Load):
    """mmcv's transform of this name; what Pillow reads, OpenCV decodes.

    OpenCV decodes whole JPEG pictures of three channels if it gives the same
    pixels, which is tried once; Pillow decodes all others.

    Args:
        args: As of the base class.
        draft: See :func:`decode`; the pixels are others then.
        kwargs: As of the base class.
    """

    def __init__(self, *args: Any, draft: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(draft, int) or draft < 0:
            raise UserError(f'draft={draft!r}: wanted a number of pixels')
        self.draft = draft
        self.fast = (
            self.imdecode_backend == 'pillow'
            and self.color_type == 'color_ignore_orientation'
            and self.file_client_args is None
            and not self.to_float32
        )

    def transform(self, results: dict) -> dict | None:
        """Adds ``img``, bytes (H, W, 3) in BGR."""
        image = None
        if self.fast:
            try:
                data = self.read(results['img_path'])
                image = decode(data, self.draft)
            except OSError:
                pass  # the base class says it
        if image is None:
            return super().transform(results)
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def read(self, path: str) -> bytes:
        """The content of a file."""
        if self.backend_args is not None or '://' in path:
            return fileio.get(path, backend_args=self.backend_args)
        with open(path, 'rb', buffering=0) as file:
            return file.read()


@TRANSFORMS.register_module()
class RandomResizedCrop(Crop):
    """mmpretrain's transform of this name, without copies on the way.

    Args:
        args: As of the base class.
        backend: As of the base class; or 'torch', whose resizing is five
            times as fast and whose pixels are a little different.
        kwargs: As of the base class.
    """

    def __init__(
        self, *args: Any, backend: str = 'pillow', **kwargs: Any
    ) -> None:
        super().__init__(*args, backend=backend, **kwargs)
        if backend == 'torch' and self.interpolation not in (
            'bilinear',
            'bicubic',
        ):
            raise UserError(
                f'interpolation={self.interpolation!r}: wanted bilinear or '
                f"bicubic with backend='torch'"
            )
        if backend == 'pillow':
            prepare(self.scale, self.interpolation)

    def transform(self, results: dict) -> dict:
        """Changes ``img`` and its ``img_shape``."""
        image = results['img']
        if self.backend not in ('pillow', 'torch') or not is_plain(image):
            return super().transform(results)
        top, left, height, width = self.rand_crop_params(image)
        box = left, top, left + width, top + height
        results['img'] = resized(
            image, box, self.scale, self.interpolation, self.backend
        )
        results['img_shape'] = results['img'].shape
        return results


@TRANSFORMS.register_module()
class RandomFlip(Flip):
    """mmcv's transform of this name, for pictures alone.

    Args:
        prob: Probability of a flip.
        kwargs: As of the base class.
    """

    def __init__(self, prob: float | None = None, **kwargs: Any) -> None:
        super().__init__(prob, **kwargs)
        self.simple = isinstance(prob, float) and self.direction in (
            'horizontal',
            ['horizontal'],
        )

    def transform(self, results: dict) -> dict:
        """Changes ``img``; adds ``flip`` and ``flip_direction``."""
        more = any(name in results for name in self.OTHERS)
        if not self.simple or more or not is_plain(results['img']):
            return super().transform(results)
        # As np.random.choice draws one of two.
        flip = np.random.random() < self.prob
        results['flip'] = bool(flip)
        results['flip_direction'] = 'horizontal' if flip else None
        if flip:
            results['img'] = mirrored(results['img'])
        return results

    OTHERS = ('gt_bboxes', 'gt_keypoints', 'gt_seg_map')


@TRANSFORMS.register_module()
class PackInputs(Pack):
    """mmpretrain's transform of this name; it packs ``erase_box``, too.

    Args:
        args: As of the base class.
        kwargs: As of the base class.
    """

    @staticmethod
    def format_input(image: Any) -> Any:
        """A tensor (C, H, W) of an array (H, W, C), and more."""
        if not is_plain(image):
            return Pack.format_input(image)
        return torch.from_numpy(planes_of(image))

    def transform(self, results: dict) -> dict:
        """``inputs`` (C, H, W) and ``data_samples``."""
        packed = super().transform(results)
        if 'erase_box' in results:
            packed['data_samples'].set_field(
                results['erase_box'], 'erase_box', field_type='metainfo'
            )
        return packed
