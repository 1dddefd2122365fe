"""What paths, patterns, folders and lists stand for."""

import io
import sys

import numpy as np
import pytest

from mmuniformer.prediction.sources import expand


@pytest.fixture
def folder(tmp_path):
    for name in ('b.jpg', 'a.PNG', 'sub/c.tif', 'v.mp4', 'note.md'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / '.hidden').mkdir()
    (tmp_path / '.hidden/d.jpg').touch()
    return tmp_path


def found(sources, **options):
    return [(s.kind, s.name) for s in expand(sources, **options)]


def test_a_folder_stands_for_its_pictures_and_videos(folder):
    assert found([folder]) == [
        ('picture', 'a'),
        ('picture', 'b'),
        ('video', 'v'),
        ('picture', 'sub/c'),
    ]


def test_of_a_folder_a_model_of_clips_takes_videos(folder):
    assert found([folder], clips=True) == [('video', 'v'), ('frames', 'sub')]


def test_a_pattern(folder):
    assert found([f'{folder}/*.[jP]*']) == [('picture', 'a'), ('picture', 'b')]


def test_a_pattern_that_nothing_fits(tmp_path):
    (source,) = expand([f'{tmp_path}/*.jpg'])
    assert source.error == 'nothing fits this pattern'


@pytest.mark.parametrize('name', ['nothing.jpg', 'nothing/'])
def test_what_is_not_there(tmp_path, name):
    (source,) = expand([f'{tmp_path}/{name}'])
    assert source.error == 'no such file'


def test_an_empty_folder(tmp_path):
    (source,) = expand([tmp_path])
    assert source.error == 'no pictures or videos in this folder'


def test_paths_of_a_list_are_relative_to_it(folder):
    (folder / 'list.txt').write_text('# mine\n\nb.jpg\nsub\n')
    assert found([folder / 'list.txt']) == [('picture', 'b'), ('picture', 'c')]


def test_a_list_on_standard_input(folder, monkeypatch):
    monkeypatch.setattr(sys, 'stdin', io.StringIO(f'{folder}/b.jpg\n'))
    assert found(['-']) == [('picture', 'b')]


def test_a_number_is_a_camera_unless_it_is_a_file(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert found(['0']) == [('camera', 'camera_0')]
    (folder / '0').touch()
    assert found(['0']) == [('picture', '0')]


def test_an_array_is_a_picture():
    assert found([np.zeros((4, 4, 3))]) == [('array', '0')]
