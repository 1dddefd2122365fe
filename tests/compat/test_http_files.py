"""Lists and annotation files at a URL, below a root."""

import http.server
import threading
from functools import partial
from urllib.error import HTTPError

import mmengine
import pytest
from mmengine import fileio
from mmengine.dataset import BaseDataset

from mmuniformer.engine.ending import explain


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def url(tmp_path):
    handler = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(('localhost', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://localhost:{server.server_port}'
        server.shutdown()


def test_a_data_set_below_a_root_is_read(url, tmp_path):
    (tmp_path / 'a.json').write_text(
        '{"metainfo": {}, "data_list": [{"img_path": "1.jpg"}]}'
    )
    data = BaseDataset('a.json', None, f'{url}/', dict(img_path='img'))
    assert data[0]['img_path'] == f'{url}/img/1.jpg'


def test_whether_a_file_is_there(url, tmp_path):
    (tmp_path / 'a.json').write_text('x')
    assert fileio.exists(f'{url}/a.json') and fileio.isfile(f'{url}/a.json')
    assert not fileio.exists(f'{url}/b.json')


def test_a_file_that_is_not_there_is_named(url):
    with pytest.raises(HTTPError) as error:
        mmengine.load(f'{url}/b.json')
    line = f"'{url}/b.json' cannot be read: HTTP Error 404: File not found"
    assert explain(error.value) == line
