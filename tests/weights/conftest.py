"""Fixtures of the tests of weights/."""

import pytest

from ..weight_server import serving


@pytest.fixture
def server():
    """A server of weight files on this machine."""
    with serving() as server:
        yield server
