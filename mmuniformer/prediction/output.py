"""Where predictions go: JSON lines, pictures, label maps, videos."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import cv2
import numpy as np
from PIL import Image

from .drawing import Drawer, draw_timeline, label_of, write_label
from .predictor import Prediction, Predictor
from .sources import Source
from .tasks import IGNORED, Segmentation
from .videos import Video

RESULTS = 'predictions.jsonl'


class Output:
    """Writes predictions as they come.

    Args:
        predictor: The model.
        folder: Where to; None writes JSON lines alone, to ``stream``.
        draw: Whether to write pictures and videos, too.
        score: What is drawn has at least this score.
        stream: Where JSON lines go without a folder.
    """

    def __init__(
        self,
        predictor: Predictor,
        folder: str | None,
        draw: bool = True,
        score: float = 0.3,
        stream: TextIO | None = None,
    ) -> None:
        self.predictor = predictor
        self.folder = Path(folder) if folder else None
        self.stream = stream
        self.file: TextIO | None = None
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.file = open(self.folder / RESULTS, 'w', encoding='utf-8')
        self.drawer = Drawer(predictor, score) if draw and folder else None
        self.names: set[str] = set()
        self.video: OpenVideo | None = None

    def __enter__(self) -> 'Output':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close_video()
        if self.file:
            self.file.close()

    def write(self, prediction: Prediction) -> dict[str, Any]:
        """Writes one; the record, with the paths of what was written."""
        source = prediction.source
        if self.video and self.video.source.path != source.path:
            self.close_video()
        record: dict[str, Any] = dict(source=source.path)
        if prediction.error:
            return dict(record, error=prediction.error)
        if prediction.job.number is not None:
            record['frame'] = prediction.job.number
        if prediction.job.span:
            record['start'], record['end'] = prediction.job.span
        record.update(prediction.record)
        if self.folder:
            record.update(self.pictures(prediction))
        file = self.file or self.stream
        if file:
            file.write(json.dumps(record, ensure_ascii=False) + '\n')
            file.flush()
        return record

    def pictures(self, prediction: Prediction) -> dict[str, str]:
        """Writes what there is to see; the paths of it."""
        assert self.folder
        job, written = prediction.job, {}
        moving = job.span is not None
        if self.video is None and moving:
            name = self.free_name(job.source.name)
            self.video = OpenVideo(job.source, self.folder, name)
        name = self.video.name if self.video else ''
        name = (
            f'{name}/{job.number or 0:06}'
            if moving
            else (self.free_name(job.source.name))
        )
        if isinstance(self.predictor.task, Segmentation):
            path = self.folder / 'label_maps' / f'{name}.png'
            self.write_label_map(prediction, path)
            written['label_map'] = str(path)
        if not self.drawer:
            return written
        if moving and job.frames is not None:
            assert self.video
            self.video.note(prediction)
            return written
        picture = self.drawer.draw(prediction)
        if moving:
            assert self.video
            self.video.add(picture, self.predictor.stride)
        else:
            path = self.folder / 'pictures' / f'{name}.jpg'
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture)
            written['picture'] = str(path)
        return written

    def free_name(self, name: str) -> str:
        """A name that no other input has, inside the folder."""
        parts = [p for p in Path(name).parts if p not in ('..', '/')]
        base = '/'.join(parts) or 'unnamed'
        name, number = base, 1
        while name in self.names:
            number += 1
            name = f'{base}_{number}'
        self.names.add(name)
        return name

    def write_label_map(self, prediction: Prediction, path: Path) -> None:
        """Writes classes as the values of a PNG with the palette."""
        data = prediction.samples[0].pred_sem_seg.data[0].cpu().numpy()
        path.parent.mkdir(parents=True, exist_ok=True)
        classes = len(self.predictor.task.names)
        if classes > IGNORED:
            Image.fromarray(data.astype(np.uint16)).save(path)
            return
        picture = Image.fromarray(data.astype(np.uint8), 'L')
        colours = self.predictor.meta.get('palette')
        if colours:
            rows = np.full((256, 3), 255, np.uint8)
            rows[: len(colours)] = colours
            picture.putpalette(rows.tobytes())
        picture.save(path)

    def close_video(self) -> None:
        """Ends the video of the last input."""
        if self.video:
            self.video.close()
        self.video = None


class OpenVideo:
    """The video that belongs to one input.

    Args:
        source: The input.
        folder: Where to.
        name: What it is called.
    """

    def __init__(self, source: Source, folder: Path, name: str) -> None:
        self.source = source
        self.name = name
        self.path = folder / 'videos' / f'{name}.mp4'
        self.writer: Any = None
        self.spans: list[tuple[float, float, str, float]] = []

    def add(self, picture: np.ndarray, stride: int, rate: float = 0) -> None:
        """Adds a frame (H, W, 3) in BGR."""
        if self.writer is None:
            if not rate:
                rate = (
                    Video(self.source).rate
                    if (self.source.kind == 'video')
                    else 25.0
                )
            self.path.parent.mkdir(parents=True, exist_ok=True)
            height, width = picture.shape[:2]
            self.writer = cv2.VideoWriter(
                str(self.path),
                cv2.VideoWriter.fourcc(*'mp4v'),
                max(rate / stride, 1.0),
                (width, height),
            )
        self.writer.write(picture)

    def note(self, prediction: Prediction) -> None:
        """Keeps the label of a period, to be written over its frames."""
        assert prediction.job.span
        start, end = prediction.job.span
        record = prediction.record
        self.spans.append((start, end, record['name'], record['score']))

    def close(self) -> None:
        """Writes labels over a video, and when there was which."""
        if self.spans:
            path = self.path.with_name(f'{self.path.stem}_timeline.png')
            path.parent.mkdir(parents=True, exist_ok=True)
            draw_timeline(self.spans, str(path))
            if self.source.kind == 'video':
                self.write_over()
        if self.writer is not None:
            self.writer.release()

    def write_over(self) -> None:
        """Reads the video once more, now that its labels are known."""
        video = Video(self.source)
        spans = iter(self.spans)
        _, end, name, score = next(spans)
        number = 0
        while (frame := video.next()) is not None:
            while number / video.rate >= end:
                following = next(spans, None)
                if following is None:
                    break
                _, end, name, score = following
            text = label_of(dict(name=name, score=score))
            self.add(write_label(np.asarray(frame), text), 1, video.rate)
            number += 1
