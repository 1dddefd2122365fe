"""Videos: frame by frame, as one clip, and labels over time."""

import json
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from mmuniformer.prediction import Predictor, predict, videos
from mmuniformer.prediction.sources import Source

if not (find_spec('mmpretrain') and find_spec('mmaction')):
    pytest.skip('needs mmpretrain and mmaction', allow_module_level=True)


@pytest.fixture(scope='module')
def write_video(tmp_path_factory):
    """Writes frames, told by their grey, at 10 per second."""

    def write(name, frames, size=(64, 48)):
        path = tmp_path_factory.mktemp('videos') / f'{name}.mp4'
        code = cv2.VideoWriter.fourcc(*'mp4v')
        writer = cv2.VideoWriter(str(path), code, 10, size)
        for number in range(frames):
            grey = 20 + number * 200 // frames
            writer.write(np.full((*size[::-1], 3), grey, np.uint8))
        writer.release()
        return path

    return write


@pytest.fixture(scope='module')
def video(write_video):
    return write_video('short', 40)


@pytest.fixture(scope='module')
def source(video):
    return Source(str(video), 'video', 'short')


def test_every_so_many_frames_of_a_video(source):
    jobs = list(videos.frames(source, 15))
    assert [job.number for job in jobs] == [0, 15, 30]
    assert [job.span for job in jobs] == [(0, 1.5), (1.5, 3.0), (3.0, 4.5)]
    greys = [round(float(job.frame.mean())) for job in jobs]
    assert greys == sorted(set(greys))


def test_pictures_of_a_video_become_a_video(predictor, source, tmp_path):
    made = predictor('cls', stride=10)
    records = predict(made, [source], out=str(tmp_path))
    assert [record['frame'] for record in records] == [0, 10, 20, 30]
    capture = cv2.VideoCapture(str(tmp_path / 'videos/short.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 4
    assert capture.get(cv2.CAP_PROP_FPS) == 1


def test_periods_tile_the_video(predictor, source):
    made = predictor('video', every=1.5)
    found = made([source])
    spans = [p.job.span for p in found]
    assert spans == [(0, 1.5), (1.5, 3.0), (3.0, 4.0)]
    assert all(0 < p.record['score'] <= 1 for p in found)


def test_a_clip_lies_in_the_middle_of_its_period(predictor, write_video):
    """24 frames in the middle of periods of 50, and their times."""
    task = predictor('video', every=5.0).task
    assert task.span() == 24
    path = write_video('long', 150)
    jobs = list(videos.windows(Source(str(path), 'video', ''), task, 5.0))
    assert [job.span for job in jobs] == [(0, 5), (5, 10), (10, 15)]
    frames = [job.frame for job in videos.frames(jobs[0].source, 1)]
    for number, job in enumerate(jobs):
        assert list(job.frames) == [13, 16, 19, 22, 26, 29, 32, 36]
        for place, frame in job.frames.items():
            whole = frames[50 * number + place]
            assert (frame == whole[..., ::-1]).all()


def test_frames_that_are_kept_do_not_grow_in_number(
    predictor, write_video, monkeypatch
):
    task = predictor('video', every=1.0).task
    path = write_video('long', 300)
    most = 0
    for job in videos.windows(Source(str(path), 'video', ''), task, 1.0):
        most = max(most, len(job.frames))
        assert len(job.frames) > 0
    assert most <= task.span() + 10


def test_labels_over_time_are_written(predictor, source, tmp_path):
    made = predictor('video', every=1.0)
    records = predict(made, [source], out=str(tmp_path))
    lines = (tmp_path / 'predictions.jsonl').read_text().splitlines()
    assert [json.loads(line) for line in lines] == records
    assert (tmp_path / 'videos/short_timeline.png').stat().st_size > 0
    capture = cv2.VideoCapture(str(tmp_path / 'videos/short.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 40


def test_a_window_of_a_whole_video_is_its_clip(predictor, write_video):
    """One view of a file, read by decord, and of the same frames."""
    made = predictor('video', every=99.0)
    path = write_video('one', 24)
    (window,) = made([path])
    sample = made.task.from_file(str(path))['inputs'].float()
    difference = (window.inputs.float() - sample).abs()
    assert difference.mean() < 2  # two decoders


def test_a_folder_of_frames_is_a_clip(predictor, tmp_path):
    for number in range(12):
        frame = np.full((60, 80, 3), 20 * number, np.uint8)
        cv2.imwrite(str(tmp_path / f'{number:02}.png'), frame)
    (found,) = predictor('video')(tmp_path)
    clip = found.inputs[0].float().mean((0, 2, 3))
    assert not found.error and (clip.diff() >= 0).all()


@pytest.mark.parametrize('task', ['video', 'cls'])
def test_damaged_videos_are_named(predictor, video, tmp_path, task):
    (tmp_path / 'a_empty.mp4').write_bytes(b'')
    (tmp_path / 'b_head.mp4').write_bytes(video.read_bytes()[:300])
    (tmp_path / 'c_text.mp4').write_text('no video')
    (tmp_path / 'd_whole.mp4').write_bytes(video.read_bytes())
    found = predictor(task)(tmp_path)
    bad = [p.source.name for p in found if p.error]
    assert bad == ['a_empty', 'b_head', 'c_text']
    assert found[-1].source.name == 'd_whole' and found[-1].record


def test_names_of_classes_may_be_given(work_dir, video):
    names = [f'motion {number}' for number in range(8)]
    made = Predictor(str(work_dir('video')), class_names=names, workers=0)
    (found,) = made(video)
    assert found.record['name'] == names[found.record['label']]
