"""Fixtures of the tests of fast/."""

import pytest

from mmuniformer.fast import products


@pytest.fixture
def choice(monkeypatch):
    """Fixes the library for one test."""

    def fix(name):
        monkeypatch.setenv(products.VARIABLE, name)
        products._library.cache_clear()

    yield fix
    products._library.cache_clear()
