"""One download per node, whole or not at all, whoever is killed."""

import fcntl
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.weights import download, published
from mmuniformer.weights.download import cached_path, fetch

CONTENT = os.urandom(2**20)
NAME = 'uniformer_small_in1k.pth'
FORK = multiprocessing.get_context('fork')


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The empty cache of torch.hub."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(download, 'TIMEOUT_SECONDS', 0.5)
    return tmp_path / 'hub/checkpoints'


def put(path, content=CONTENT):
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def read(url, rank, found):
    """One of several processes."""
    os.environ['LOCAL_RANK'] = str(rank)
    try:
        found.put(fetch(url).read_bytes() == CONTENT)
    except UserError as error:
        found.put(str(error))


def in_processes(url, count):
    """What each process found."""
    found = FORK.Queue()
    processes = [
        FORK.Process(target=read, args=(url, rank, found))
        for rank in range(count)
    ]
    for process in processes:
        process.start()
    answers = [found.get(timeout=20) for _ in processes]
    for process in processes:
        process.join()
    return answers


@pytest.mark.parametrize('processes', [1, 2, 3])
def test_one_download_for_all_processes(server, cache, processes):
    server.pause = 0.3
    url = server.url('some/epoch_100.pth', CONTENT)
    assert in_processes(url, processes) == [True] * processes
    assert server.gets == ['/some/epoch_100.pth'] and not server.heads
    assert list(cache.iterdir()) == [cached_path(url)]


def test_one_download_for_each_of_two_nodes(server, cache, monkeypatch):
    url = server.url('epoch_100.pth', CONTENT)
    assert in_processes(url, 2) == [True] * 2
    monkeypatch.setenv('TORCH_HOME', str(cache / 'of the other node'))
    assert in_processes(url, 2) == [True] * 2
    assert len(server.gets) == 2


def test_no_network_for_what_is_there(server, cache):
    url = server.url('epoch_100.pth', CONTENT)
    put(cached_path(url))
    assert in_processes(url, 2) == [True] * 2
    assert not server.gets + server.heads


@pytest.mark.parametrize('query', ['', '?download=true'])
def test_a_published_file_put_there_by_hand(server, cache, query):
    put(cache / NAME)
    assert fetch(server.url(NAME) + query) == cache / NAME
    assert not server.gets + server.heads


def test_files_of_one_name_from_two_places(server, cache):
    urls = [
        server.url('a/epoch_100.pth', b'first'),
        server.url('b/epoch_100.pth', b'second'),
    ]
    assert [fetch(url).read_bytes() for url in urls] == [b'first', b'second']
    assert len({cached_path(f'{url}?v=1') for url in urls} | set(urls)) == 4


def test_the_name_of_a_published_file_is_known_in_the_cache(cache):
    for url in (f'http://mirror.org/{NAME}', f'http://mirror.org/{NAME}?a=b'):
        assert published.find(cached_path(url)).name == NAME[:-4]
    url = published.by_name(NAME).url
    assert cached_path(f'{url}?download=true') == cache / NAME


@pytest.mark.parametrize(
    'path', ['../../etc/x.pth', '', 'a/', '%2e%2e%2fx', '.x', 'w' * 300]
)
def test_an_address_gives_no_path(cache, path):
    assert cached_path(f'http://some.org/{path}').parent == cache


def test_an_answer_that_is_cut_off_leaves_nothing(server, cache, monkeypatch):
    monkeypatch.setattr(download.time, 'sleep', lambda _: None)
    server.cut = 10
    url = server.url('epoch_100.pth', CONTENT)
    with pytest.raises(UserError, match='sent 1048566 of 1048576 bytes'):
        fetch(url)
    assert len(server.gets) == 3
    assert not [x for x in cache.iterdir() if x.suffix != '.lock']


def test_a_server_that_is_silent_has_a_time_limit(server, cache, monkeypatch):
    monkeypatch.setattr(download, 'ATTEMPTS', 1)
    server.pause = 30
    since = time.monotonic()
    with pytest.raises(UserError, match='timed out'):
        fetch(server.url('epoch_100.pth', CONTENT))
    assert time.monotonic() - since < 5


def test_a_server_that_sends_drops_has_a_time_limit(
    server, cache, monkeypatch
):
    monkeypatch.setattr(download, 'ATTEMPTS', 1)
    monkeypatch.setattr(download, 'TIMEOUT_SECONDS', 0.2)
    monkeypatch.setattr(download, 'MIN_BYTES', 2**22)
    server.pause = 0.15
    with pytest.raises(UserError, match=r'failed \(\d+ bytes in \d s'):
        # A slow reader, for whom the time runs.
        monkeypatch.setattr(download, 'BLOCK_BYTES', 8)
        fetch(server.url('epoch_100.pth', CONTENT * 4))


@pytest.mark.parametrize(
    'content, wanted',
    [
        (b'<!DOCTYPE html><title>Sign in</title>', 'is an HTML page'),
        (b'version https://git-lfs.github.com/spec/v1\n', 'Git LFS pointer'),
        (b'', 'is empty'),
    ],
)
def test_what_is_no_weight_file_is_not_kept(server, cache, content, wanted):
    with pytest.raises(UserError, match=wanted):
        fetch(server.url('epoch_100.pth', content))
    assert not list(cache.glob('*.pth'))


def test_a_published_file_has_its_sum(tmp_path):
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    with pytest.raises(OSError, match='its MD5 is'):
        download._check(published.by_name(NAME).url, path)


def test_all_processes_hear_of_one_failure(server, cache):
    server.pause = 0.3
    answers = in_processes(f'{server.root}/nowhere.pth', 3)
    assert all('HTTP Error 404' in answer for answer in answers)


def test_a_lock_tells_the_last_failure_alone(server, cache):
    url = f'{server.root}/nowhere.pth'
    for _ in range(2):
        with pytest.raises(UserError) as error:
            fetch(url)
    path = cached_path(url)
    assert path.with_name(f'.{path.name}.lock').read_text() == str(error.value)


def test_what_a_hub_gives_is_looked_at(cache, monkeypatch, tmp_path):
    page = tmp_path / 'page'
    page.write_bytes(b'<!DOCTYPE html><title>Sign in</title>')
    monkeypatch.setattr(download.hubs, 'fetch', lambda url, path: page)
    with pytest.raises(UserError, match='is an HTML page'):
        fetch('https://example.org/epoch_100.pth')


def test_who_waits_does_not_try_again_what_failed(server, cache, monkeypatch):
    url = f'{server.root}/nowhere.pth'
    failing = download._download

    def slow(*args):
        time.sleep(0.5)  # so that all are there
        failing(*args)

    monkeypatch.setattr(download, '_download', slow)
    assert len(in_processes(url, 3)) == 3
    assert len(server.gets) == 1


def test_a_killed_download_hinders_nobody(server, cache):
    server.pause = 20
    url = server.url('epoch_100.pth', CONTENT)
    first = FORK.Process(target=read, args=(url, 0, FORK.Queue()))
    first.start()
    while not list(cache.glob('.*.part')):
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    server.pause = 0
    since = time.monotonic()
    assert in_processes(url, 2) == [True] * 2
    assert time.monotonic() - since < 5 and len(server.gets) == 2


def test_a_suspended_download_hinders_nobody(server, cache, monkeypatch):
    monkeypatch.setattr(download, 'TAKE_OVER_SECONDS', 0.3)
    url = server.url('epoch_100.pth', CONTENT)
    cache.mkdir(parents=True)
    path = cached_path(url)
    with open(path.with_name(f'.{path.name}.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert in_processes(url, 1) == [True]


def test_file_systems_without_locks(server, cache, monkeypatch):
    def fails(*_):
        raise OSError(38, 'Function not implemented')

    monkeypatch.setattr(download.fcntl, 'flock', fails)
    server.pause = 0.3
    assert in_processes(server.url('a.pth', CONTENT), 3) == [True] * 3
    assert len(server.gets) == 1


def test_a_cache_that_cannot_be_written(server, cache):
    Path(torch.hub.get_dir()).write_text('a file')
    with pytest.raises(UserError, match='TORCH_HOME'):
        fetch(server.url('epoch_100.pth', CONTENT))


@pytest.mark.parametrize('rank, slept', [(0, []), (1, [0.1])])
def test_the_others_give_the_first_process_a_start(
    tmp_path, monkeypatch, rank, slept
):
    said = []
    monkeypatch.setattr(download.time, 'sleep', said.append)
    monkeypatch.setenv('LOCAL_RANK', str(rank))
    with open(tmp_path / 'lock', 'a+') as lock:
        assert not download._wait(lock, tmp_path / 'a.pth')
    assert said == slept


@pytest.mark.parametrize(
    'launcher', ['LOCAL_RANK', 'SLURM_LOCALID', 'MPI_LOCALRANKID']
)
def test_launchers_tell_which_process_begins(monkeypatch, launcher):
    for name in download.LOCAL_RANKS:
        monkeypatch.delenv(name, raising=False)
    assert download._local_rank() == 0
    monkeypatch.setenv(launcher, '3')
    assert download._local_rank() == 3
