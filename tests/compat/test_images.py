"""A picture that cannot be read is named under our tools, and only there."""

import subprocess
import sys

import pytest
from mmcv.transforms import LoadImageFromFile

from mmuniformer.errors import LocalUserError

from .. import ROOT


@pytest.mark.parametrize('content', [None, b'', b'not a picture'])
def test_the_file_is_named(as_under_our_tools, tmp_path, content):
    path = tmp_path / 'a.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LocalUserError, match=r'a\.jpg.* cannot be read'):
        LoadImageFromFile().transform(dict(img_path=str(path)))


def test_ignored_files_stay_ignored(as_under_our_tools, tmp_path):
    loader = LoadImageFromFile(ignore_empty=True)
    assert loader.transform(dict(img_path=str(tmp_path / 'a.jpg'))) is None


@pytest.mark.parametrize('ours', [False, True])
def test_other_programs_keep_their_errors(ours):
    code = (
        f'import sys; sys.path[:0] = {[str(ROOT), str(ROOT / "tools")]}\n'
        f'import {"_env" if ours else "mmuniformer"}\n'
        'from mmcv.transforms import LoadImageFromFile\n'
        'try: LoadImageFromFile()(dict(img_path="a.jpg"))\n'
        'except Exception as error: print(type(error).__name__)\n'
    )
    out = subprocess.check_output([sys.executable, '-c', code], text=True)
    assert out == ('DamagedError\n' if ours else 'FileNotFoundError\n')
