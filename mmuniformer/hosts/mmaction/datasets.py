"""For mmaction2: data sets of clips that survive damaged files."""

import logging
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import mmcv
from mmaction.datasets import BaseActionDataset
from mmaction.datasets.transforms import (
    DecordDecode,
    DecordInit,
    OpenCVDecode,
    OpenCVInit,
    PyAVDecode,
    PyAVInit,
    RawFrameDecode,
)
from mmengine.dist import get_rank
from mmengine.fileio import exists
from mmengine.logging import print_log

from ...checks import video_lists
from ...checks.pictures import VIDEOS
from ...checks.videos import check_labels, read_list
from ...errors import DamagedError, LocalUserError, UserError, check_plain
from ...registry import DATASETS
from ...shards.backend import PREFIX
from ...shards.samples import samples
from ...weights import labels as kinetics

# What reads files; errors of other transforms are not theirs.
READERS = (
    DecordInit,
    DecordDecode,
    OpenCVInit,
    OpenCVDecode,
    PyAVInit,
    PyAVDecode,
    RawFrameDecode,
)
CLASSES = {'k400': 400, 'k600': 600}


class TolerantDataset(BaseActionDataset):
    """A data set of which some files may be missing or damaged.

    In training it names each of them once per process and takes another
    sample. In testing it stops, as the result would be of other data.

    Args:
        args: As of mmaction2's ``BaseActionDataset``.
        max_refetch: How many samples in a row may be replaced.
        kwargs: As of mmaction2's ``BaseActionDataset``.
    """

    def __init__(
        self, *args: Any, max_refetch: int = 10, **kwargs: Any
    ) -> None:
        self.reported: set[str] = set()
        super().__init__(*args, max_refetch=max_refetch, **kwargs)

    @property
    def pipeline(self) -> Any:
        """What makes a sample; any callable may take its place."""
        return self._pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Any) -> None:
        if hasattr(pipeline, 'transforms'):
            pipeline.transforms = [
                Reader(t) if isinstance(t, READERS) else t
                for t in pipeline.transforms
            ]
        self._pipeline = pipeline

    def __getitem__(self, index: int) -> Any:
        """A sample, or another one where its files are damaged.

        Raises:
            LocalUserError: They are, in testing; or too many in a row are.
        """
        self.full_init()
        if hasattr(self, '_bad_data'):  # our own training replaces it
            return self.prepare_data(index)
        for _ in range(self.max_refetch + 1):
            try:
                data = self.prepare_data(index)
                if data is None:
                    raise DamagedError(
                        f'sample {index}: the pipeline drops it'
                    )
                return data
            except DamagedError as error:
                reason = str(error)
                if self.test_mode:
                    raise LocalUserError(reason) from error
            self.report(reason)
            index = self._rand_another()
        raise LocalUserError(
            f'ann_file={str(self.ann_file)!r}: {self.max_refetch + 1} samples '
            f'in a row cannot be read; the last: {reason}'
        )

    def report(self, reason: str) -> None:
        """Says once that a sample is replaced."""
        if reason not in self.reported:
            self.reported.add(reason)
            # mmengine shows warnings of the first process only.
            level = logging.ERROR if get_rank() else logging.WARNING
            message = f'{reason}; another sample takes its place'
            print_log(message, logger='current', level=level)


class Reader:
    """A transform that reads files; an error of it is one of its files.

    Args:
        transform: Of mmaction2.
    """

    def __init__(self, transform: Callable[[dict], dict]) -> None:
        self.transform = transform

    def __call__(self, results: dict) -> dict:
        """What the transform makes of ``results``.

        Raises:
            DamagedError: It cannot read a file.
        """
        return read(self.transform, results)

    def __repr__(self) -> str:
        return repr(self.transform)


def read(transform: Callable[[dict], dict], results: dict) -> dict:
    """Reads files with a transform of mmaction2.

    Raises:
        DamagedError: It cannot.
    """
    try:
        check_plain(results.get('filename'))
        results = transform(results)
    except (ImportError, MemoryError, UserError):
        raise
    except Exception as error:
        path = bad_file(results)
        if not exists(path):
            raise DamagedError(f'{path!r} does not exist') from error
        # decord adds time and place to a line, and a trace below it.
        line = re.sub(r'\[[\d:]+\] \S+ ', '', str(error)).split('\n')[0]
        if os.path.exists(path):
            path = f'{path!r}, {os.path.getsize(path)} bytes,'
        else:  # in a tar file
            path = repr(path)
        raise DamagedError(f'{path} cannot be read: {line}') from error
    if len({frame.shape for frame in results.get('imgs', ())}) > 1:
        raise DamagedError(
            f'frames of {results["frame_dir"]!r} differ in size'
        )
    return results


def bad_file(results: dict) -> str:
    """The video, or the first frame, that cannot be read."""
    if 'filename' in results:
        return results['filename']
    for index in results['frame_inds']:
        name = results['filename_tmpl'].format(index)
        path = os.path.join(results['frame_dir'], name)
        try:
            if mmcv.imread(path) is None:
                return path
        except Exception:
            return path
    return results['frame_dir']


@DATASETS.register_module()
class ClipDataset(TolerantDataset):
    """Videos of a list of ``path,label``, or of a folder for each class.

    Args:
        ann_file: The list; '' for the videos ``CLASS/*.mp4`` (and other
            endings) of the folder, whose classes are numbered by name, or
            for those of tar files with a file ``.cls`` beside each.
        pipeline: Transforms.
        data_prefix: The folder of the videos, as ``dict(video=...)``; in tar
            files ``tar://FILE.tar``.
        delimiter: Between path and label; ' ' is any white space.
        class_order: 'authors' if the labels are the authors' numbers,
            'alphabetical' if they are those of mmaction2's label maps: then
            they are translated, so that the authors' heads fit.
        labels: Whose numbers they are: 'k400' or 'k600'.
        kwargs: As of :class:`TolerantDataset`.
    """

    def __init__(
        self,
        ann_file: str = '',
        pipeline: Sequence[Any] = (),
        data_prefix: dict[str, str] | None = None,
        delimiter: str = ',',
        class_order: str = 'authors',
        labels: str = 'k400',
        **kwargs: Any,
    ) -> None:
        kinetics.check_order(class_order)
        if labels not in CLASSES:
            raise UserError(f"labels={labels!r}: wanted 'k400' or 'k600'")
        self.delimiter = delimiter
        self.class_order = class_order
        self.labels = labels
        prefix = data_prefix or dict(video='')
        super().__init__(ann_file, list(pipeline), prefix, **kwargs)

    @property
    def label_order(self) -> str:
        """The order of the labels that come out of the data set."""
        return 'authors'

    def load_data_list(self) -> list[dict]:
        """Reads the list.

        Raises:
            UserError: A line is something else, or of no class.
        """
        folder = self.data_prefix['video']
        if self.ann_file:
            videos = read_list(self.ann_file, self.delimiter)
        elif folder.startswith(PREFIX):
            found, known = samples(folder, VIDEOS)
            if known:
                self._metainfo.setdefault('classes', known)
            return [dict(filename=path, label=label) for path, label in found]
        else:
            videos, names = video_lists.folder_videos(folder)
            self._metainfo.setdefault('classes', tuple(names))
        number: Callable[[int], int] = int
        if self.class_order == 'alphabetical':
            classes = CLASSES[self.labels]
            option = f'labels={self.labels!r}'
            check_labels(self.ann_file, videos, classes, option)
            number = kinetics.alphabetical(classes).__getitem__
        return [
            dict(filename=os.path.join(folder, v.path), label=number(v.label))
            for v in videos
        ]


@DATASETS.register_module()
class FrameDataset(TolerantDataset):
    """Folders of frames, of a list of ``folder frames label``.

    Args:
        ann_file: The list.
        pipeline: Transforms.
        data_prefix: The folder of the folders, as ``dict(img=...)``.
        filename_tmpl: How a frame is called.
        start_index: Number of the first one.
        kwargs: As of :class:`TolerantDataset`.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: list[Any],
        data_prefix: dict[str, str] | None = None,
        filename_tmpl: str = 'img_{:05}.jpg',
        start_index: int = 1,
        **kwargs: Any,
    ) -> None:
        self.filename_tmpl = filename_tmpl
        super().__init__(
            ann_file,
            pipeline,
            data_prefix or dict(img=''),
            start_index=start_index,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Reads the list.

        Raises:
            UserError: A line is something else.
        """
        videos = read_list(self.ann_file, frames=True)
        folder = self.data_prefix['img']
        return [
            dict(
                frame_dir=os.path.join(folder, video.path),
                filename_tmpl=self.filename_tmpl,
                total_frames=video.frames,
                label=video.label,
            )
            for video in videos
        ]
