"""What mmengine writes is there whole or not at all."""

import os
import stat

import pytest
from mmengine.fileio import LocalBackend, dump

import mmuniformer  # noqa: F401, what is tested
from mmuniformer.compat import whole_files


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(b'good')
    return path


@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    file, monkeypatch, call
):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match='No space left'):
        LocalBackend().put(b'new', file)
    monkeypatch.undo()
    assert file.read_bytes() == b'good'
    assert os.listdir(file.parent) == [file.name]


def test_a_link_is_replaced_not_followed(tmp_path, file):
    link = tmp_path / 'last_checkpoint'
    link.symlink_to(file)
    LocalBackend().put_text('text', link)
    assert file.read_bytes() == b'good'
    assert link.read_text() == 'text' and not link.is_symlink()


def test_rights_are_those_of_an_ordinary_file(tmp_path):
    dump({}, tmp_path / 'a.json')
    (tmp_path / 'b').write_text('')
    modes = {stat.S_IMODE(f.stat().st_mode) for f in tmp_path.iterdir()}
    assert len(modes) == 1


def test_what_killed_processes_left_is_removed(file):
    (file.parent / '.epoch_1.pth.a1b2.part').write_bytes(b'half')
    assert whole_files.remove_parts(file.parent) == 1
    assert os.listdir(file.parent) == [file.name]
