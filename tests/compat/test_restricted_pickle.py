"""Weight files under a torch that allows no classes by name."""

import argparse
import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from mmuniformer.compat import restricted_pickle


def read(path):
    return torch.load(
        path, weights_only=False, pickle_module=restricted_pickle
    )


@pytest.mark.parametrize(
    'beside',
    [
        HistoryBuffer([1.0], [1]),
        ConfigDict(classes=('cat',)),
        argparse.Namespace(lr=1),
        np.float64(1),
    ],
)
@pytest.mark.parametrize('zipped', [True, False])
def test_weights_are_read_whatever_lies_beside_them(tmp_path, beside, zipped):
    path = tmp_path / 'w.pth'
    weights = {'a': torch.arange(3.0), 'b': torch.nn.Parameter(torch.ones(2))}
    saved = dict(state_dict=weights, beside=beside)
    torch.save(saved, path, _use_new_zipfile_serialization=zipped)
    torch.testing.assert_close(read(path)['state_dict'], weights)


class Evil:
    def __reduce__(self):
        return os.mkdir, ('made_by_a_file',)


def test_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(Evil(), 'w.pth')
    with pytest.raises(pickle.UnpicklingError, match=r'\.mkdir'):
        read('w.pth')
    assert not os.path.exists('made_by_a_file')
