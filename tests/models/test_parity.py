"""Recorded outputs of the official models, float64, 1e-9."""

import pytest
import torch
from torch import nn

from mmuniformer.models import UniFormer, UniFormerLight
from mmuniformer.weights.files import unwrap
from mmuniformer.weights.load import load_content

from ..golden import Golden


class Classifier(nn.Module):
    """The official classifiers: backbone, mean, linear heads."""

    def __init__(self, backbone, classes=1000, heads=('head',)):
        super().__init__()
        self.backbone = backbone
        for name in heads:
            dim = backbone.arch.embed_dims[-1]
            self.add_module(name, nn.Linear(dim, classes))

    def forward(self, x):
        x = self.backbone(x)
        if self.backbone.ndim == 2:  # one map, as a tuple
            (x,) = x
        if hasattr(self, 'head_cls'):
            x, cls_token = x
            outputs = self.head(x.flatten(2).mean(2)), self.head_cls(cls_token)
            return outputs if self.training else outputs[:1]
        tokens = x.flatten(2).transpose(1, 2)
        logits = self.head(tokens.mean(1))
        if hasattr(self, 'aux_head'):
            logits = logits + 0.5 * self.aux_head(tokens).max(1).values
        return (logits,)


def classifier(arch, classes=1000, heads=('head',), **kwargs):
    return Classifier(UniFormer(arch, **kwargs), classes, heads)


def light_classifier(classes=1000, **kwargs):
    backbone = UniFormerLight('xxs', with_cls_token=True, **kwargs)
    return Classifier(backbone, classes, ('head', 'head_cls'))


def dense(cls, arch, **kwargs):
    return cls(arch, dense=True, out_indices=range(4), **kwargs)


CASES = {
    'cls_s': lambda: classifier('s'),
    'cls_s_train': lambda: classifier('s'),
    'cls_s_plus': lambda: classifier('s_plus'),
    'cls_b_ls': lambda: classifier('b_ls'),
    'cls_tl_s': lambda: classifier(
        's', head_dim=32, heads=('head', 'aux_head')
    ),
    'cls_xxs': light_classifier,
    'cls_xxs_train': light_classifier,
    'dense_s_global': lambda: dense(UniFormer, 's'),
    'dense_s_hybrid': lambda: dense(
        UniFormer, 's', attention='hybrid', window_size=14
    ),
    'dense_xxs': lambda: dense(UniFormerLight, 'xxs'),
    'video_s': lambda: classifier('s', 400, ndim=3),
    'video_xxs': lambda: light_classifier(400, ndim=3),
    'video_xxs_ls': lambda: light_classifier(
        400, ndim=3, layer_scale_init_value=0.1
    ),
}


def build(golden):
    """The model of a case with its weights, in the mode of the case."""
    state = golden.state()
    model = CASES[golden.case]().double()
    load_content(getattr(model, 'backbone', model), unwrap(state), golden.case)
    for name, head in model.named_children():
        if 'head' in name:
            head.weight.data = state[f'{name}.weight']
            head.bias.data = state[f'{name}.bias']
    return model.train(golden.case.endswith('train'))


def official_name(name):
    return name.removeprefix('backbone.')


@pytest.fixture(params=CASES, scope='module')
def run(request):
    """A case, its model, its input and its outputs after backward."""
    golden = Golden(request.param)
    model = build(golden)
    x = golden.input().requires_grad_()
    outputs = model(x)
    golden.loss(outputs).backward()
    return golden, model, x, outputs


def test_keys_and_shapes_are_the_official_ones_in_order(run):
    golden, model, _, _ = run
    keys = [
        (official_name(k), tuple(v.shape))
        for k, v in model.state_dict().items()
    ]
    assert keys == golden.keys


def test_outputs(run):
    golden, _, _, outputs = run
    golden.check_outputs(outputs)


def test_gradients(run):
    golden, model, x, _ = run
    if 'grad_norms' not in golden.record:
        pytest.skip('the official light models have no backward in eval')
    golden.check_gradients(
        x, {official_name(n): p for n, p in model.named_parameters()}
    )


def test_parameter_count(run):
    golden, model, _, _ = run
    count = sum(p.numel() for p in model.parameters())
    assert count == golden.record['params']


def test_float64_is_what_is_compared(run):
    assert all(out.dtype == torch.float64 for out in run[3])
