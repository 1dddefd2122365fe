"""Grad-CAM: of every kind of block, and of what a map depends on."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmuniformer.analysis.cam import Cam, overlay, reshape_transform
from mmuniformer.errors import UserError

from ..models import tiny

VARIANTS = ('global', 'hybrid', 'video', 'light', 'light_cls', 'light_video')


class Classifier(nn.Module):
    """Class 0 is the sum of one corner of the map, class 1 of all of it."""

    def __init__(self, variant):
        super().__init__()
        self.backbone = tiny.build(variant).eval()
        self.data_preprocessor = lambda data, training: dict(
            inputs=data['inputs'][0]
        )

    def cls_head(self, feats):
        x = reshape_transform(feats[-1] if isinstance(feats, list) else feats)
        corner = (..., *(slice(0, 1),) * (x.ndim - 2))
        return torch.stack([x[corner].sum(), x.sum()])[None]


def cam_of(variant, layer, method='hirescam'):
    model = Classifier(variant)
    x = tiny.images(model.backbone, batch=1)
    views = x[None] if model.backbone.ndim == 3 else x
    task = SimpleNamespace(prepare=lambda job: [dict(inputs=views)])
    predictor = SimpleNamespace(model=model, scope='mmaction', task=task)
    return Cam(predictor, layer, method), x


@pytest.mark.parametrize('layer', ['blocks1', 'blocks2', 'blocks3', 'blocks4'])
@pytest.mark.parametrize('variant', VARIANTS)
def test_a_map_of_every_stage(variant, layer):
    cam, x = cam_of(variant, layer)
    heat, picture, target = cam(None)
    assert heat.shape == tuple(x.shape[2:]) == picture.shape[:-1]
    assert 0 <= heat.min() and heat.max() <= 1 and target in (0, 1)
    assert all(p.grad is None for p in cam.model.parameters())


@pytest.mark.parametrize('method', ['gradcam', 'hirescam'])
def test_the_map_is_that_of_the_paper(method):
    """By the gradients of a map or their means, computed by hand."""
    cam, x = cam_of('global', 'blocks3', method)
    heat, _, _ = cam(None, 1)
    kept = []
    hook = cam.layer.register_forward_hook(lambda *a: kept.append(a[2]))
    with torch.enable_grad():
        score = cam.scores(x)[1]
        (gradient,) = torch.autograd.grad(score, kept[0])
    hook.remove()
    if method == 'gradcam':
        gradient = gradient.mean((2, 3), keepdim=True).expand_as(gradient)
    small = torch.einsum('bchw,bchw->bhw', gradient, kept[0].detach()).relu()
    large = F.interpolate(small[None], x.shape[2:], mode='bilinear')[0, 0]
    assert heat.max() == pytest.approx(1)
    np.testing.assert_allclose(heat, large / large.max(), atol=1e-9)


def test_layers_that_are_not_there_or_no_map():
    with pytest.raises(UserError, match='layer='):
        cam_of('global', 'blocks9')
    with pytest.raises(UserError, match='wanted one whose output is a map'):
        reshape_transform(torch.zeros(2, 3, 4))


@pytest.mark.parametrize('shape', [(32, 48), (8, 32, 48)])
def test_overlays(shape):
    picture = np.zeros((*shape, 3), np.uint8)
    heat = overlay(np.ones(shape, np.float32), picture)
    assert heat.shape == (*shape[:-2], 224, 336, 3)
