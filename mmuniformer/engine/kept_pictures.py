"""Decoded pictures in memory that all workers share, if a config asks."""

import hashlib
import mmap
import multiprocessing
import os
import struct
from typing import Any

import numpy as np
from mmengine.registry import TRANSFORMS as ROOT

from ..errors import UserError
from ..registry import TRANSFORMS

GIB = 2**30
# A smaller picture would need more places than there are.
BYTES_PER_PLACE = 16384
# Digest, offset, height, width, channels.
PLACE = struct.Struct('=16sqiii')
PROBES = 16
WAIT_SECONDS = 0.1
FIELDS = {'img', 'img_shape', 'ori_shape'}


def available_bytes() -> int | None:
    """Memory that programs may still take; None where nobody says."""
    try:
        with open('/proc/meminfo') as file:
            lines = dict(line.split(':') for line in file)
        return int(lines['MemAvailable'].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


class SharedPictures:
    """Pictures by digests, in memory that forks share.

    What is in is never replaced: where pictures are asked for in any order,
    each epoch once, that finds as many as any other way. The memory is that
    of the process, not of ``/dev/shm``; it is taken as it is filled.

    Args:
        size: Bytes of the pictures.
    """

    def __init__(self, size: int) -> None:
        self.count = max(size // BYTES_PER_PLACE, PROBES)
        self.places = mmap.mmap(-1, self.count * PLACE.size)
        self.bytes = mmap.mmap(-1, size)
        self.used = multiprocessing.RawValue('q', 0)
        self.lock = multiprocessing.Lock()
        self.size = size

    def find(self, digest: bytes) -> tuple[int, tuple[int, ...] | None]:
        """(place, (offset, height, width, channels)), or (free place, None).

        The place is -1 if there is no free one.
        """
        start = int.from_bytes(digest[:8], 'little')
        for probe in range(PROBES):
            place = (start + probe) % self.count
            found, *where = PLACE.unpack_from(self.places, place * PLACE.size)
            if found == digest:
                return place, tuple(where)
            if not any(found):
                return place, None
        return -1, None

    def get(self, digest: bytes) -> np.ndarray | None:
        """A copy of a picture, or None."""
        where = self.find(digest)[1]
        if where is None:
            return None
        offset, *shape = where
        data = np.frombuffer(self.bytes, np.uint8, int(np.prod(shape)), offset)
        return data.reshape(shape).copy()

    def put(self, digest: bytes, picture: np.ndarray) -> None:
        """Keeps a picture (H, W, C), if there is room."""
        if self.used.value + picture.nbytes > self.size:
            return
        # A worker that was killed may have it for ever.
        if not self.lock.acquire(timeout=WAIT_SECONDS):
            return
        try:
            place, where = self.find(digest)
            first = self.used.value
            last = first + picture.nbytes
            if place < 0 or where is not None or last > self.size:
                return
            self.used.value = last
            self.bytes[first:last] = picture.tobytes()
            at = place * PLACE.size
            row = PLACE.pack(digest, first, *picture.shape)
            # The digest last: whoever finds it finds a whole picture.
            self.places[at + 16 : at + PLACE.size] = row[16:]
            self.places[at : at + 16] = row[:16]
        finally:
            self.lock.release()


@TRANSFORMS.register_module()
class KeepDecoded:
    """Decodes each picture once, and keeps the bytes for all workers.

    A file that changes is decoded again. Pictures beyond ``gib`` are decoded
    each time, as are those that are not (H, W, C) of bytes. Each data set and
    each process of a training has a memory of its own; workers must be forks.

    Args:
        transforms: One transform that reads ``img_path``, such as
            ``LoadImageFromFile`` of any host.
        gib: Memory for pictures, in GiB.

    Raises:
        UserError: There is not so much memory, or more than one transform.
    """

    def __init__(self, transforms: Any, gib: float) -> None:
        if not isinstance(transforms, (list, tuple)) or len(transforms) != 1:
            raise UserError(
                f'KeepDecoded.transforms={transforms!r:.80}: wanted a list of '
                f'one transform that loads pictures'
            )
        if isinstance(gib, bool) or not isinstance(gib, (int, float)):
            raise UserError(f'KeepDecoded.gib={gib!r}: wanted GiB of memory')
        available = available_bytes()
        if gib <= 0 or (available and gib * GIB > available):
            free = f'{(available or 0) / GIB:.1f}'
            raise UserError(
                f'KeepDecoded.gib={gib!r}: wanted more than 0 and less than '
                f'the {free} GiB of memory that are free'
            )
        self.transforms = [
            x if callable(x) else ROOT.build(x) for x in transforms
        ]
        self.kept = SharedPictures(int(gib * GIB))
        # Tells loaders with other options apart.
        name = repr(self.transforms[0]).encode()
        self.key = hashlib.blake2b(name, digest_size=16).digest()

    def __getstate__(self) -> dict[str, Any]:
        """A worker that is spawned has nothing to share."""
        raise UserError(
            'KeepDecoded: workers must be forks; wanted '
            "env_cfg.mp_cfg.mp_start_method='fork', or no KeepDecoded"
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> 'KeepDecoded':
        return self

    def digest(self, path: str) -> bytes | None:
        """What stands for a file as it is now, and how it is decoded."""
        try:
            state = os.stat(path)
        except OSError:
            return None  # at a URL; in a tar file; or missing
        key = f'{path}\0{state.st_size}\0{state.st_mtime_ns}\0{state.st_ino}'
        digest = hashlib.blake2b(key.encode(), digest_size=16, key=self.key)
        return digest.digest()

    def __call__(self, results: dict) -> dict | None:
        """Adds ``img`` and its shapes, as the transform does."""
        path = results.get('img_path')
        digest = self.digest(path) if isinstance(path, str) else None
        if digest is None:
            return self.transforms[0](results)
        picture = self.kept.get(digest)
        if picture is not None:
            results['img'] = picture
            results['img_shape'] = results['ori_shape'] = picture.shape[:2]
            return results
        before = set(results)
        loaded = self.transforms[0](results)
        if loaded is None:
            return None
        picture = loaded['img']
        plain = isinstance(picture, np.ndarray) and picture.dtype == np.uint8
        if plain and picture.ndim == 3 and set(loaded) - before <= FIELDS:
            self.kept.put(digest, np.ascontiguousarray(picture))
        return loaded

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(gib={self.kept.size / GIB:g}, '
            f'transforms={self.transforms})'
        )
