"""A working folder in which the toy recipe finds its data."""

import pytest


@pytest.fixture(scope='session')
def toy_cwd(toy_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp('cwd')
    (folder / 'data').symlink_to(toy_data)
    return folder
