"""Every published kind of file loads whole into the host's stock model.

The models are built without memory, the files are stand-ins of one number per
tensor; names and shapes are what is compared.
"""

from types import SimpleNamespace

import pytest
from mmengine.runner.checkpoint import load_state_dict

from mmuniformer.engine import LoadReportHook

from ..published_files import (
    cascade,
    classifier,
    mask_rcnn,
    pose,
    semantic_fpn,
    upernet,
    zeros,
)
from .stock import (
    build,
    cascade_detector,
    detector,
    fpn_segmentor,
    image_classifier,
    light,
    pose_estimator,
    recognizer,
    uniformer,
    upernet_segmentor,
)

# file name, wrapper, keys, model
CASES = {
    'S': (
        'uniformer_small_in1k',
        'model',
        classifier('s'),
        lambda: image_classifier(uniformer()),
    ),
    'S+': (
        'uniformer_small_plus_in1k',
        None,
        classifier('s_plus'),
        lambda: image_classifier(uniformer('s_plus')),
    ),
    'B+LS': (
        'uniformer_base_ls_in1k',
        'model',
        classifier('b_ls'),
        lambda: image_classifier(uniformer('b_ls')),
    ),
    'TL L': (
        'uniformer_large_ls_tl_224',
        'state_dict',
        classifier('l', aux=True),
        lambda: image_classifier(uniformer('l'), 640, aux_fc=(640, 1000)),
    ),
    'TL S': (
        'uniformer_small_tl_384',
        'model',
        classifier('s', aux=True),
        lambda: image_classifier(uniformer(head_dim=32), aux_fc=(512, 1000)),
    ),
    'XXS': (
        'uniformer_xxs_128_in1k',
        None,
        classifier('xxs'),
        lambda: image_classifier(light(), 448, fc_cls=(448, 1000)),
    ),
    'Mask R-CNN': (
        'mask_rcnn_1x_hybrid_small',
        'state_dict',
        mask_rcnn(),
        lambda: build('mmdet', detector()),
    ),
    'Cascade Mask R-CNN': (
        'cascade_mask_rcnn_3x_ms_hybrid_small',
        'state_dict',
        cascade(),
        lambda: build('mmdet', cascade_detector()),
    ),
    'Semantic FPN': (
        'fpn_global_small',
        'state_dict',
        semantic_fpn(),
        fpn_segmentor,
    ),
    'UperNet': (
        'upernet_global_small',
        'state_dict',
        upernet(),
        upernet_segmentor,
    ),
    'pose': (
        'top_down_256x192_global_small',
        'state_dict',
        pose(),
        pose_estimator,
    ),
    'video S': (
        'uniformer_small_k400_16x4',
        'model_state',
        classifier('s', 400, ndim=3),
        lambda: recognizer(uniformer(ndim=3)),
    ),
    'video XXS': (
        'uniformer_xxs16_128_k400',
        None,
        classifier('xxs', 400, ndim=3),
        lambda: recognizer(light(ndim=3), 448, fc_token=(448, 400)),
    ),
    'video XXS+LS': (
        'uniformer_xxs4_128_k400',
        None,
        classifier('xxs', 400, ndim=3, scaled='1234'),
        lambda: recognizer(
            light(ndim=3, layer_scale_init_value=0.1),
            448,
            fc_token=(448, 400),
        ),
    ),
}


def ported(keys, head):
    """Names that the ports of mmaction2 and mmpose have given."""
    for name, shape in keys:
        old = name.split('.')[0]
        if 'head' in old:
            yield head + name.removeprefix(old), shape
        else:
            yield f'backbone.{name.removeprefix("backbone.")}', shape


CASES['port of mmaction2'] = (
    'uniformer-small_imagenet1k-pre_16x4x1_kinetics400-rgb_20221219-c630a037',
    'state_dict',
    list(ported(classifier('s', 400, ndim=3), 'cls_head.fc_cls')),
    CASES['video S'][3],
)
CASES['port of mmpose'] = (
    'top_down_256x192_global_small-d4a7fdac_20230724',
    'state_dict',
    list(ported(pose(), 'head')),
    pose_estimator,
)
# The pose models emit one map, the norms of the others are unused.
UNUSED = {
    f'backbone.norm{i}.{leaf}'
    for i in (1, 2, 3)
    for leaf in ('weight', 'bias')
}
LEFT_OVER = {'pose': UNUSED, 'port of mmpose': UNUSED}
# Parameters of the authors' models: measured, or derived, in millions.
PARAMETERS = {
    'S': 21545256,
    'S+': 24032552,
    'B+LS': 49796520,
    'TL L': 100103888,
    'TL S': 22058256,
    'XXS': 10215280,
    'Mask R-CNN': 41.20,
    'Cascade Mask R-CNN': 79.04,
    'Semantic FPN': 25.30,
    'UperNet': 51.52,
    'pose': 25.23,
    'port of mmpose': 25.23,
    'video S': 21400400,
    'port of mmaction2': 21400400,
    'video XXS': 9833896,
    'video XXS+LS': 9840616,
}


@pytest.fixture(params=CASES, scope='module')
def loaded(request):
    """A case, its model, and its file after the hook."""
    name, wrapper, keys, make = CASES[request.param]
    model, content = make(), zeros(keys)
    content = {wrapper: content} if wrapper else content
    runner = SimpleNamespace(
        model=model, _load_from=f'{name}.pth', _resume=False, _train_loop=None
    )
    LoadReportHook().after_load_checkpoint(runner, content)
    return request.param, model, content['state_dict']


def test_nothing_is_missing_and_nothing_left_over(loaded):
    case, model, state = loaded
    own = set(model.state_dict())
    assert own - set(state) == set()
    assert set(state) - own == LEFT_OVER.get(case, set())


def test_mmengine_takes_all_of_it(loaded):
    _, model, state = loaded
    own = model.state_dict()
    kept = {k: v.to('meta') for k, v in state.items() if k in own}
    load_state_dict(model, kept, strict=True)


def test_it_is_the_published_model(loaded):
    case, model, _ = loaded
    count = sum(p.numel() for p in model.parameters())
    wanted = PARAMETERS[case]
    if isinstance(wanted, float):
        count, wanted = count / 1e6, pytest.approx(wanted, abs=0.005)
    assert count == wanted
