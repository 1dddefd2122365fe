"""A picture that cannot be read is named, whatever is wrong with it."""

import pytest
from mmcv.transforms import LoadImageFromFile

import mmuniformer  # noqa: F401
from mmuniformer.errors import LocalUserError


@pytest.mark.parametrize('content', [None, b'', b'not a picture'])
def test_the_file_is_named(tmp_path, content):
    path = tmp_path / 'a.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LocalUserError, match=r'a\.jpg.* cannot be read'):
        LoadImageFromFile().transform(dict(img_path=str(path)))


def test_ignored_files_stay_ignored(tmp_path):
    loader = LoadImageFromFile(ignore_empty=True)
    assert loader.transform(dict(img_path=str(tmp_path / 'a.jpg'))) is None
