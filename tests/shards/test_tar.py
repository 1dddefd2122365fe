"""Tar files read as folders."""

import io
import os
import subprocess
import tarfile
import time

import numpy as np
import pytest
from mmengine import fileio

import mmuniformer  # noqa: F401
from mmuniformer.errors import UserError
from mmuniformer.shards import index
from mmuniformer.shards.samples import samples

FILES = {'a/1.jpg': b'one', 'a/2.jpg': b'', 'b/1.jpg': bytes(3000), 'x': b'9'}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache/mmuniformer/shards'


def make(path, files, mode='w', **options):
    with tarfile.open(path, mode, **options) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return f'tar://{path}'


@pytest.mark.parametrize('form', ['USTAR', 'GNU', 'PAX'])
def test_files_are_those_that_went_in(tmp_path, form):
    files = {**FILES, f'{"long" * 30}/ü.jpg': b'long'}
    kind = getattr(tarfile, f'{form}_FORMAT')
    if form == 'USTAR':
        files.popitem()
    root = make(tmp_path / 'a.tar', files, format=kind)
    for _ in range(2):  # the second time by the index that was kept
        assert {n: fileio.get(f'{root}/{n}') for n in files} == files


def test_the_index_is_shared_and_follows_the_file(tmp_path, cache):
    root = make(tmp_path / 'a.tar', FILES)
    assert fileio.get(f'{root}/x') == b'9'
    assert len(list(cache.iterdir())) == 1
    from mmuniformer.shards.index import load_index

    assert isinstance(load_index(str(tmp_path / 'a.tar')), np.memmap)
    make(tmp_path / 'a.tar', {'y': b'123', 'x': b'8'})
    os.utime(tmp_path / 'a.tar', (1, 1))
    assert fileio.get(f'{root}/x') == b'8'


def test_a_cache_that_cannot_be_written_or_read(tmp_path, monkeypatch, cache):
    root = make(tmp_path / 'a.tar', FILES)
    assert fileio.get(f'{root}/x') == b'9'
    next(cache.iterdir()).write_bytes(b'')  # a full disk
    os.utime(tmp_path / 'a.tar')
    monkeypatch.setenv('XDG_CACHE_HOME', '/proc/none')
    assert fileio.get(f'{root}/x') == b'9'


def test_an_index_that_is_not_finished_leaves_no_rest(
    tmp_path, monkeypatch, cache
):
    root = make(tmp_path / 'a.tar', FILES)
    cache.mkdir(parents=True)
    for name, age in ('old.part', 9999), ('new.part', 0):  # of killed ones
        (cache / name).write_bytes(b'half')
        os.utime(cache / name, (time.time() - age,) * 2)

    def full(file, rows):
        file.write(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(index.np, 'save', full)
    assert fileio.get(f'{root}/x') == b'9'
    assert [path.name for path in cache.iterdir()] == ['new.part']


def test_folders_are_listed_as_on_the_disk(tmp_path):
    files = {**FILES, 'a/deep/3.jpg': b'3', '.hidden/1.jpg': b'', 'a/.b': b''}
    make(tmp_path / 'a.tar', files)
    with tarfile.open(tmp_path / 'a.tar') as tar:
        tar.extractall(tmp_path / 'out', filter='data')
    for inner in ('', '/a', '/a/deep'):
        for recursive in (False, True):
            for kind in (dict(list_dir=False), dict(list_file=False), {}):
                options = dict(kind, recursive=recursive)
                wanted, found = (
                    sorted(fileio.list_dir_or_file(root + inner, **options))
                    for root in (f'{tmp_path}/out', f'tar://{tmp_path}/a.tar')
                )
                # LocalBackend leaves out hidden files, not hidden folders.
                wanted = [name for name in wanted if name[0] != '.']
                assert found == wanted, (inner, options)


def test_what_tar_writes_links_and_files_that_were_appended(tmp_path):
    folder = tmp_path / 'in/cat'
    folder.mkdir(parents=True)
    (folder / '1.jpg').write_bytes(b'old')
    os.link(folder / '1.jpg', folder / '2.jpg')
    (folder / '3.jpg').symlink_to('1.jpg')
    tar = ['tar', '-C', str(tmp_path / 'in'), '-f', str(tmp_path / 'a.tar')]
    subprocess.run([*tar, '--sort=name', '-c', '.'], check=True)
    root = f'tar://{tmp_path}/a.tar/cat'
    assert [fileio.get(f'{root}/{i}.jpg') for i in (1, 2, 3)] == [b'old'] * 3
    (folder / '1.jpg').unlink()
    (folder / '1.jpg').write_bytes(b'new')
    subprocess.run([*tar, '-r', './cat/1.jpg'], check=True)
    assert fileio.get(f'{root}/1.jpg') == b'new'


def test_several_tar_files_are_one_folder(tmp_path):
    make(tmp_path / 't-00.tar', {'a/1.jpg': b'1', 'both': b''})
    make(tmp_path / 't-01.tar', {'a/2.jpg': b'2', 'both': b''})
    for name in ('t-{00..01}.tar', 't-*.tar'):
        root = f'tar://{tmp_path}/{name}'
        assert fileio.get_text(f'{root}/a/2.jpg') == '2'
        listed = fileio.list_dir_or_file(f'{root}/a')
        assert list(listed) == ['1.jpg', '2.jpg']
        with pytest.raises(UserError, match=r'both.* is in .*00.* and .*01'):
            fileio.get(f'{root}/both')
    assert not fileio.exists(f'tar://{tmp_path}/u-*.tar/a')


def test_what_is_not_there(tmp_path):
    root = make(tmp_path / 'a.tar', FILES)
    for path in (f'{root}/a/9.jpg', f'tar://{tmp_path}/b.tar/1.jpg'):
        with pytest.raises(FileNotFoundError, match='does not exist'):
            fileio.get(path)
        assert not fileio.exists(path)
    assert fileio.isdir(f'{root}/a') and not fileio.isfile(f'{root}/a')
    with pytest.raises(UserError, match=r'wanted tar://FILE.tar/NAME'):
        fileio.get('tar://a/b.jpg')


def test_tar_files_that_are_cut_off_or_damaged_are_named(tmp_path):
    path = tmp_path / 'a.tar'
    make(path, FILES)
    whole = path.read_bytes()
    cuts = [100, 600, 1500, 2600, 512 * 9, 512 * 10]
    for cut in cuts:
        path.write_bytes(whole[:cut])
        with pytest.raises(UserError, match=r'a\.tar.* (whole tar|cut off)'):
            fileio.get(f'tar://{path}/x')
    # A head in the middle that was written over.
    path.write_bytes(whole[:1024] + b'?' * 512 + whole[1536:])
    with pytest.raises(UserError, match='at byte 1024, after 1 files'):
        fileio.get(f'tar://{path}/x')
    make(path, FILES, 'w:gz')
    with pytest.raises(UserError, match='is compressed'):
        fileio.get(f'tar://{path}/x')


def test_a_file_that_becomes_shorter_gives_no_wrong_bytes(tmp_path):
    from mmuniformer.shards.index import Shard

    make(tmp_path / 'a.tar', FILES)
    shard = Shard(str(tmp_path / 'a.tar'))
    os.truncate(tmp_path / 'a.tar', 2000)
    with pytest.raises(OSError, match=r"is cut off in 'b/1.jpg'"):
        shard.read(shard.find('b/1.jpg'))


def test_a_fork_reads_at_the_same_time(tmp_path):
    files = {str(i): os.urandom(5000) for i in range(40)}
    root = make(tmp_path / 'a.tar', files)
    fileio.get(f'{root}/1')
    child = os.fork()
    good = all(fileio.get(f'{root}/{n}') == files[n] for n in files)
    if child == 0:
        os._exit(not good)
    assert good and os.waitpid(child, 0)[1] == 0


def test_labels_are_folders_in_their_order(tmp_path):
    make(tmp_path / 't-0.tar', {'cat/2.jpg': b'', 'dog/1.JPG': b''})
    make(tmp_path / 't-1.tar', {'cat/1.jpg': b'', 'cat/a.txt': b''})
    found, names = samples(f'tar://{tmp_path}/t-*.tar', ['.jpg'])
    assert names == ('cat', 'dog')
    assert [(path.split('.tar/')[1], label) for path, label in found] == [
        ('cat/1.jpg', 0), ('cat/2.jpg', 0), ('dog/1.JPG', 1),
    ]  # fmt: skip
    assert all(fileio.exists(path) for path, _ in found)


def test_labels_are_files_beside_them(tmp_path):
    files = {'0.jpg': b'', '0.cls': b'7\n', '1.seg.png': b'', '1.cls': b'0'}
    make(tmp_path / 't-0.tar', files)
    make(tmp_path / 't-1.tar', {'0.jpg': b'', '0.cls': b'3'})
    found, names = samples(f'tar://{tmp_path}/t-*.tar', ['.jpg', '.png'])
    assert (names, [label for _, label in found]) == (None, [7, 0, 3])
    make(tmp_path / 't-1.tar', {'0.jpg': b'', '0.cls': b'cat'})
    with pytest.raises(UserError, match=r'0\.jpg.* no label; wanted a file'):
        samples(f'tar://{tmp_path}/t-*.tar', ['.jpg'])
    make(tmp_path / 't-1.tar', {'0.jpg': b''})
    with pytest.raises(UserError, match=r'no label; wanted CLASS/NAME'):
        samples(f'tar://{tmp_path}/t-1.tar', ['.jpg'])
    with pytest.raises(UserError, match=r'no file \*\.mp4 in 1 tar files'):
        samples(f'tar://{tmp_path}/t-1.tar', ['.mp4'])
