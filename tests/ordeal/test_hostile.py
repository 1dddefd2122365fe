"""Every kind of hostile file: refused, or its weights are the good ones."""

import random

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.models import UniFormer
from mmuniformer.weights import files, transfer

from .. import TINY
from .hostile import KINDS, Source


@pytest.fixture(scope='module')
def good(tmp_path_factory):
    """A checkpoint as mmengine writes it, of a network that took a step."""
    model = UniFormer(arch=TINY)
    optimizer = torch.optim.AdamW(model.parameters(), 0.1)
    for value in model.parameters():
        value.grad = torch.ones_like(value)
    optimizer.step()
    state = {f'backbone.{k}': v for k, v in model.state_dict().items()}
    path = tmp_path_factory.mktemp('good') / 'good.pth'
    torch.save(
        dict(
            meta=dict(epoch=1, iter=4, cfg=''), state_dict=state,
            optimizer=optimizer.state_dict(), param_schedulers=[{}],
            message_hub=dict(runtime_info={}),
        ), path,
    )  # fmt: skip
    return path


@pytest.mark.parametrize('name', KINDS)
def test_it_is_refused_or_harmless(good, tmp_path, name):
    make, refuses = KINDS[name]
    marker, victim = tmp_path / 'executed', tmp_path / 'other/best.pth'
    victim.parent.mkdir()
    victim.write_bytes(b'of another run')
    path = tmp_path / 'hostile.pth'
    content = torch.load(good, weights_only=True)
    source = Source(good.read_bytes(), content, marker, victim)
    make(source, path, random.Random(name))
    try:
        found = files.unwrap(files.read(path))
        loose = transfer.may_be_integers(found)
        files.check_tensors(found, loose)
        files.check_whole(found)
    except UserError as error:
        assert '\n' not in str(error)
        found = None
    assert not marker.exists() and victim.exists()
    if found is not None:
        assert 'convert' not in refuses
        own = files.unwrap(files.read(good))
        assert all(torch.equal(value, found[k]) for k, value in own.items())
