"""The same frames from every reader, of made videos of many kinds."""

import importlib.machinery
import io
import os
import signal
import sys
import time
import types
from fractions import Fraction

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS, init_default_scope

pytest.importorskip('mmaction')
from mmuniformer.errors import UserError
from mmuniformer.hosts.mmaction import readers

from .videos import write_video

needs_av = pytest.mark.skipif(
    'pyav' not in readers.installed(), reason='needs PyAV'
)
KINDS_OF_READERS = [readers.AvReader, readers.CvReader]
if 'torchcodec' in readers.installed():
    KINDS_OF_READERS.append(readers.TorchReader)
COUNT = 30


def write(path, codec='libx264', gap=lambda n: 1, size=(64, 32), **options):
    """A video whose n-th frame is shown ``gap(n)`` ticks after the last."""
    import av

    width, height = size
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = width, height
        stream.pix_fmt = 'yuv420p'
        stream.options = {k: str(v) for k, v in options.items()}
        stream.time_base = Fraction(1, 25)
        time = 0
        rng = np.random.default_rng(0)
        for number in range(COUNT):
            pixels = rng.integers(0, 60, (height, width, 3), np.uint8)
            pixels += np.uint8(6 * number)
            frame = av.VideoFrame.from_ndarray(pixels, format='rgb24')
            frame.pts, frame.time_base = time, Fraction(1, 25)
            time += gap(number)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


# File name and options of the encoder.
KINDS = {
    'long_group.mp4': {},
    'short_groups.mkv': dict(g=5, bf=3),
    'no_b_frames.mp4': dict(bf=0, g=7),
    'mpeg4.avi': dict(codec='mpeg4'),
    'varying_rate.mkv': dict(gap=lambda n: 1 + n % 3, bf=2),
    'transport.ts': dict(g=10),
    'odd_size.mp4': dict(size=(54, 38)),
    'program.mpg': dict(codec='mpeg2video'),
}
INDICES = [[0], [COUNT - 1], [3, 4, 5], [2, 9, 16, 23], [7, 7, 1, 28]]


@needs_av
@pytest.mark.parametrize('name', KINDS)
def test_frames_are_those_of_reading_from_the_front(tmp_path, name):
    import av

    path = write(tmp_path / name, **KINDS[name])
    with av.open(path) as container:
        frames = [
            (f.pts, f.to_ndarray(format='rgb24'))
            for f in container.decode(video=0)
        ]
    wanted = [pixels for _, pixels in sorted(frames, key=lambda f: f[0])]
    assert len(wanted) == COUNT
    for kind in KINDS_OF_READERS:
        for indices in INDICES:
            reader = kind(path)
            assert len(reader) == COUNT
            found = reader.get_batch(np.array(indices)).asnumpy()
            assert np.array_equal(found, [wanted[i] for i in indices])


@needs_av
@pytest.mark.parametrize('name', ['long_group.mp4', 'short_groups.mkv'])
def test_frames_are_those_of_decord(tmp_path, name):
    decord = pytest.importorskip('decord')
    path = write(tmp_path / name, **KINDS[name])
    for indices in INDICES:
        wanted = decord.VideoReader(path).get_batch(indices).asnumpy()
        found = readers.AvReader(path).get_batch(indices).asnumpy()
        assert np.array_equal(found, wanted)


@needs_av
def test_a_reader_may_be_asked_again(tmp_path):
    reader = readers.AvReader(write(tmp_path / 'a.mkv', g=5, bf=3))
    late = reader.get_batch([25]).asnumpy()
    reader.get_batch([1])
    assert np.array_equal(reader.get_batch([25]).asnumpy(), late)
    assert reader.get_avg_fps() == 25


@needs_av
@pytest.mark.parametrize('kind', KINDS_OF_READERS)
def test_a_worker_reads_after_the_process_that_it_was_forked_from(
    tmp_path, kind
):
    path = write(tmp_path / 'a.mp4', size=(320, 240))
    kind(path).get_batch([0])
    child = os.fork()
    if child == 0:
        kind(path).get_batch([1])
        os._exit(0)
    end = time.monotonic() + 20
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    assert done[1] == 0


@needs_av
def test_a_damaged_tail_leaves_the_frames_before_it(tmp_path):
    path = tmp_path / 'a.mkv'
    write(path, g=5)
    whole = readers.AvReader(str(path)).get_batch([1, 4]).asnumpy()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    reader = readers.AvReader(str(path))
    assert 4 < len(reader) < COUNT
    assert np.array_equal(reader.get_batch([1, 4]).asnumpy(), whole)
    with pytest.raises(IndexError, match='of '):
        reader.get_batch([COUNT - 1])


@needs_av
def test_streams_without_an_index_are_known(tmp_path):
    for name, options in KINDS.items():
        path = write(tmp_path / name, **options)
        wanted = name.endswith(('.ts', '.mpg'))
        assert readers.has_no_index(path) == wanted
        with open(path, 'rb') as file:
            assert readers.has_no_index(io.BytesIO(file.read())) == wanted


def test_a_torchcodec_that_does_not_load_is_left_out(monkeypatch):
    module = types.ModuleType('torchcodec')
    module.__spec__ = importlib.machinery.ModuleSpec('torchcodec', None)
    monkeypatch.setitem(sys.modules, 'torchcodec', module)
    monkeypatch.setitem(sys.modules, 'torchcodec.decoders', None)
    found = readers.installed.__wrapped__()
    assert 'torchcodec' not in found and 'opencv' in found


needs_torchcodec = pytest.mark.skipif(
    'torchcodec' not in readers.installed(), reason='needs torchcodec'
)


@needs_av
@needs_torchcodec
def test_pyav_reads_what_torchcodec_reads_otherwise(tmp_path):
    for name, other in (
        ('long_group.mp4', False),
        ('transport.ts', True),
        ('program.mpg', True),
    ):
        path = write(tmp_path / name, **KINDS[name])
        assert bool(readers.TorchReader(path).other) == other
        with open(path, 'rb') as file:
            reader = readers.TorchReader(io.BytesIO(file.read()))
        assert bool(reader.other) == other
        with pytest.raises(IndexError, match=f'of {COUNT}'):
            reader.get_batch([COUNT])


@needs_torchcodec
def test_torchcodec_names_what_needs_pyav(tmp_path, monkeypatch):
    path = write(tmp_path / 'a.ts')
    monkeypatch.setattr(readers, 'find_spec', lambda name: None)
    with pytest.raises(ValueError, match='without an index; pip install av'):
        readers.TorchReader(path)


@needs_av
def test_frames_that_do_not_decode_are_named(tmp_path, monkeypatch):
    reader = readers.AvReader(write(tmp_path / 'a.mp4'))
    monkeypatch.setattr(reader, 'decode', lambda wanted: {})
    with pytest.raises(ValueError, match='frame 3 of 30 is damaged'):
        reader.get_batch([3, 8])


@pytest.mark.parametrize('reader', ['auto', *readers.installed()])
def test_the_transforms_of_the_recipes(tmp_path, reader):
    write_video(tmp_path / 'a.mp4')
    init_default_scope('mmaction')
    start = dict(type='mmuniformer.DecordInit', reader=reader)
    results = TRANSFORMS.build(start)(dict(filename=str(tmp_path / 'a.mp4')))
    assert results['total_frames'] == 12
    results['frame_inds'] = np.array([0, 5, 11])
    results = TRANSFORMS.build(dict(type='DecordDecode'))(results)
    assert results['img_shape'] == (32, 64)
    greys = [int(frame[-4, 8, 1]) for frame in results['imgs']]
    assert greys == pytest.approx([10, 85, 175], abs=6)


def test_readers_that_are_not_there(monkeypatch):
    with pytest.raises(UserError, match="reader='vlc': wanted 'auto' or"):
        readers.DecordInit(reader='vlc')
    monkeypatch.setattr(readers, 'installed', lambda: ('opencv',))
    assert readers.DecordInit().reader == 'opencv'
    with pytest.raises(UserError, match='not installed; pip install decord'):
        readers.DecordInit(reader='decord')
