"""Published files: several addresses, resumed, with their sums, offline."""

import hashlib
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from mmuniformer.errors import UserError
from mmuniformer.weights import addresses, download, hubs, published
from mmuniformer.weights.download import fetch

from .test_download import CONTENT, in_processes

NAME = 'uniformer_small_plus_in1k'  # no hub has it
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The empty cache of torch.hub, and a folder to work in."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(download.time, 'sleep', lambda _: None)
    monkeypatch.setattr(download, 'ATTEMPTS', 1)
    work = tmp_path / 'work'
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path / 'hub/checkpoints'


@pytest.fixture
def release(monkeypatch, server):
    """Has the published file be at some addresses, with a sum."""

    def known_at(*urls, md5=MD5):
        release = published.table()[NAME]
        release = release._replace(mirrors=' '.join(urls), md5=md5)
        monkeypatch.setitem(published.table(), NAME, release)
        return release

    return known_at


class Cutting(dict):
    """Files of which one is cut off until it is asked for a rest."""

    def get(self, path, default=None):
        server, content = self.server, super().get(path, default)
        server.cut = 2**19 if path == '/cut.pth' else 0
        return content


def test_the_third_address_brings_what_the_others_do_not(
    server, cache, release
):
    server.files = Cutting(server.files)
    server.files.server, server.ranges = server, True
    dead = 'http://127.0.0.1:9/dead.pth'
    release(dead, server.url('cut.pth', CONTENT), server.url('c.pth', CONTENT))
    assert in_processes(NAME, 2) == [True] * 2
    assert server.gets == ['/cut.pth', '/c.pth']
    assert server.asked[1] == (f'bytes={2**19}-', None)
    assert list(cache.iterdir()) == [cache / f'{NAME}.pth']


def test_parts_of_two_files_do_not_become_one(server, cache, release):
    server.files = Cutting(server.files)
    server.files.server, server.ranges = server, True
    other = server.url('cut.pth', CONTENT[::-1])
    release(other, server.url('c.pth', CONTENT))
    assert fetch(NAME).read_bytes() == CONTENT
    assert len(server.gets) == 3  # the rest, and then all of it


@pytest.mark.parametrize('same', [True, False])
def test_what_was_interrupted_goes_on(server, cache, same):
    server.ranges, server.cut = True, 2**19
    url = server.url('epoch_100.pth', CONTENT)
    with pytest.raises(UserError, match='sent 524288 of 1048576 bytes'):
        fetch(url)
    server.cut, new = 0, CONTENT if same else CONTENT[::-1]
    server.url('epoch_100.pth', new)
    assert fetch(url).read_bytes() == new
    assert server.asked[1][0] == f'bytes={2**19}-'


def test_no_part_is_kept_that_may_be_of_another_file(server, cache):
    server.cut = 2**19
    with pytest.raises(UserError, match='sent 524288'):
        fetch(server.url('epoch_100.pth', CONTENT))
    assert not list(cache.glob('.*.part*'))


def test_a_flipped_bit_is_refused_and_kept_aside(server, cache, release):
    wrong = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    release(server.url('a.pth', wrong))
    with pytest.raises(UserError, match=r'MD5 is \w+, wanted .*pth.wrong'):
        fetch(NAME)
    assert (cache / f'{NAME}.pth.wrong').read_bytes() == wrong
    assert not (cache / f'{NAME}.pth').exists()


def test_the_sum_in_the_name_of_openmmlabs_files(server, cache, release):
    half = hashlib.sha256(CONTENT).hexdigest()[:8]
    release(
        server.url('a-01234567_20230724.pth', CONTENT),
        server.url(f'a-{half}_20230724.pth', CONTENT),
        md5='',
    )
    assert fetch(NAME).read_bytes() == CONTENT
    assert len(server.gets) == 2


def test_a_mirror_of_ones_own_is_asked_first(
    server, cache, release, monkeypatch
):
    release('http://127.0.0.1:9/dead.pth')
    server.url(f'mine/{NAME}.pth', CONTENT)
    monkeypatch.setenv(addresses.MIRRORS, f'{server.root}/mine')
    assert fetch(NAME) == cache / f'{NAME}.pth'


def test_an_address_stands_for_all(server, cache, release):
    dead = 'http://127.0.0.1:9/dead/uniformer_small_plus_in1k.pth'
    release(dead, server.url('a.pth', CONTENT))
    assert fetch(dead) == cache / f'{NAME}.pth'


@pytest.mark.parametrize('name', ['uniformer_small_in1k', 'fpn_xxs'])
@pytest.mark.parametrize('variable', addresses.OFFLINE)
def test_offline_says_which_file_to_put_where(
    cache, monkeypatch, name, variable
):
    monkeypatch.setenv(variable, '1')
    where = f'put it into checkpoints/ or at {cache}/{name}.pth'
    with pytest.raises(UserError, match=f'offline .*{where}'):
        fetch(name)
    cache.mkdir(parents=True)
    (cache / f'{name}.pth').write_bytes(CONTENT)
    assert fetch(name) == cache / f'{name}.pth'


def test_a_file_of_another_name_is_known_by_its_sum(
    cache, release, monkeypatch, caplog
):
    release()
    monkeypatch.setattr(published, 'MD5_BYTES', range(2**30))
    cache.mkdir(parents=True)
    (cache / 'from a colleague.pth').write_bytes(CONTENT)
    with caplog.at_level('INFO'):
        assert fetch(NAME) == cache / 'from a colleague.pth'


def installed(monkeypatch, name, **functions):
    """A library of a hub, as much as is called of it."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    module.__dict__.update(functions)
    monkeypatch.setitem(sys.modules, name, module)


def test_google_drive_by_gdown(cache, monkeypatch):
    def download(id, output, quiet):
        assert id == published.table()['fpn_xxs'].drive
        with open(output, 'wb') as file:
            file.write(CONTENT)
        return output

    with pytest.raises(UserError, match='pip install gdown'):
        fetch('fpn_xxs')

    def decline(**_):
        raise RuntimeError('Failed to retrieve file url:\n\n\tToo many users')

    installed(monkeypatch, 'gdown', download=decline)
    with pytest.raises(UserError, match='url: Too many users'):
        fetch('fpn_xxs')
    installed(monkeypatch, 'gdown', download=download)
    assert fetch('fpn_xxs') == cache / 'fpn_xxs.pth'


def test_hugging_faces_own_library_and_cache(cache, tmp_path, monkeypatch):
    name, there = 'upernet_global_small', tmp_path / 'blob.pth'
    repo = 'lllyasviel/Annotators'

    def get(*args, revision):
        assert (*args, revision) == (repo, f'{name}.pth', 'main')
        there.write_bytes(CONTENT)
        return str(there)

    def look(*args, revision):
        return str(there) if there.exists() else None

    installed(
        monkeypatch,
        'huggingface_hub',
        hf_hub_download=get,
        try_to_load_from_cache=look,
    )
    assert fetch(name) == there
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    assert fetch(name) == there


def test_the_mirror_that_hugging_face_names(monkeypatch):
    monkeypatch.setenv('HF_ENDPOINT', 'https://hf-mirror.org/')
    release = published.table()['upernet_global_small']
    wanted = 'https://hf-mirror.org/lllyasviel/Annotators/resolve/main/'
    assert addresses.sources(release) == [f'{wanted}{release.name}.pth']
    assert hubs.at_endpoint('https://a.org/b') == 'https://a.org/b'


def test_no_address_gives_the_instruction(cache):
    with pytest.raises(UserError, match='no public address; put it into'):
        fetch('upernet_hybrid_base')
    assert not os.listdir('.')
