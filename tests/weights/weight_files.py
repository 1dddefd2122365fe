"""Weight files for tests, and their loading into a backbone."""

import torch
from mmengine.logging import MMLogger

from mmuniformer.models import UniFormer

from .. import TINY
from ..published_files import zeros

DEEP = dict(TINY, depths=(2, 2, 8, 2))


def log_lines(caplog):
    """A fixture: what goes to mmengine's current logger."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield lambda: caplog.text
    logger.removeHandler(caplog.handler)


def published(tmp_path, wrapper='model', **kwargs):
    """A classification file as the authors publish it."""
    torch.manual_seed(1)
    source = UniFormer(kwargs.pop('arch', TINY), **kwargs)
    state = source.state_dict()
    state['head.weight'] = torch.randn(10, TINY['embed_dims'][-1])
    state['head.bias'] = torch.randn(10)
    path = tmp_path / 'tiny_in1k.pth'
    torch.save({wrapper: state} if wrapper else state, path)
    return path, source


def load(path, options=None, cls=UniFormer, device='cpu', **kwargs):
    source = dict(type='Pretrained', checkpoint=str(path), **(options or {}))
    with torch.device(device):
        model = cls(kwargs.pop('arch', TINY), init_cfg=source, **kwargs)
    model.init_weights()
    return model


def changed(path, change):
    """The file with another state dict."""
    state = torch.load(path)['model']
    change(state)
    torch.save(state, path)
    return path


def known(tmp_path, name, keys):
    path = tmp_path / f'{name}.pth'
    torch.save({'model': zeros(keys)}, path)
    return path
