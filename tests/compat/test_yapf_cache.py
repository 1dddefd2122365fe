"""A cached grammar of yapf that is cut off does no harm."""

import inspect
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmuniformer.compat import yapf_cache

pytest.importorskip('yapf')  # its driver alone would import it halfway
driver = pytest.importorskip('yapf_third_party._ylib2to3.pgen2.driver')
TEXT = str(Path(driver.__file__).parents[1] / 'Grammar.txt')


@pytest.mark.parametrize('broken', [b'', b'\x80\x04', b'no pickle'])
def test_a_broken_cache_is_made_anew(tmp_path, broken):
    load = inspect.unwrap(driver.load_grammar)
    mended = SimpleNamespace(load_grammar=load)
    yapf_cache.apply(mended)
    cache = tmp_path / 'Grammar.pickle'
    whole = load(TEXT, str(cache))
    cache.write_bytes(broken)
    with pytest.raises((EOFError, pickle.UnpicklingError)):
        load(TEXT, str(cache))
    again = mended.load_grammar(TEXT, str(cache))
    assert again.keywords == whole.keywords
    assert load(TEXT, str(cache)).keywords == whole.keywords
