"""Stand-ins for the published weight files: right keys and shapes, no size.

Names, shapes and order are written down here from the authors' files, apart
from the package's own code. All tensors of a file are views of one number.
"""

import torch


def affine(name, *shape, bias=True):
    """A convolution or linear layer."""
    keys = [(f'{name}.weight', shape)]
    return keys + [(f'{name}.bias', shape[:1])] * bias


def norm(name, dim, batch=False):
    """A LayerNorm or BatchNorm."""
    leaves = ['weight', 'bias'] + ['running_mean', 'running_var'] * batch
    keys = [(f'{name}.{leaf}', (dim,)) for leaf in leaves]
    return keys + [(f'{name}.num_batches_tracked', ())] * batch


def embed(stage, dims, ndim, stem):
    """What leads into a stage, counted from 1."""
    c_in, c = (3, *dims)[stage - 1 : stage + 1]
    name = f'patch_embed{stage}'
    if stem == 'patch':
        time, space = (3, 4) if stage == 1 else (1, 2)
        kernel = (time, space, space)[3 - ndim :]
        return norm(f'{name}.norm', c) + affine(
            f'{name}.proj', c, c_in, *kernel
        )
    kernel = (3 if stage == 1 else 1, 3, 3)[3 - ndim :]
    if stage > 1:
        return affine(f'{name}.proj.0', c, c_in, *kernel) + norm(
            f'{name}.proj.1', c, batch=True
        )
    return [
        *affine(f'{name}.proj.0', c // 2, 3, *kernel),
        *norm(f'{name}.proj.1', c // 2, batch=True),
        *affine(f'{name}.proj.3', c, c // 2, *kernel),
        *norm(f'{name}.proj.4', c, batch=True),
    ]


def block(name, stage, c, ndim, mlp, scaled):
    conv = stage < 3
    ones = (1,) * ndim if conv else ()
    gamma = (1, c, *ones) if conv else (c,)
    keys = [(f'{name}.gamma_{i}', gamma) for i in (1, 2) if scaled]
    keys += affine(f'{name}.pos_embed', c, 1, *(3,) * ndim)
    keys += norm(f'{name}.norm1', c, batch=conv)
    if conv:
        keys += affine(f'{name}.conv1', c, c, *ones)
        keys += affine(f'{name}.conv2', c, c, *ones)
        keys += affine(f'{name}.attn', c, 1, *(5,) * ndim)
    else:
        keys += affine(f'{name}.attn.qkv', 3 * c, c)
        keys += affine(f'{name}.attn.proj', c, c)
    keys += norm(f'{name}.norm2', c, batch=conv)
    keys += affine(f'{name}.mlp.fc1', mlp * c, c, *ones)
    return keys + affine(f'{name}.mlp.fc2', c, mlp * c, *ones)


SIZES = {
    's': dict(depths=(3, 4, 8, 3)),
    's_plus': dict(depths=(3, 5, 9, 3), stems=('conv',) * 4),
    'b': dict(depths=(5, 8, 20, 7)),
    'b_ls': dict(depths=(5, 8, 20, 7), scaled='34'),
    'l': dict(depths=(5, 10, 24, 7), dims=(128, 192, 448, 640), scaled='1234'),
    'xxs': dict(depths=(2, 5, 8, 2), dims=(56, 112, 224, 448), light=True),
    'xs': dict(depths=(3, 5, 9, 3), dims=(64, 128, 256, 512), light=True),
}


def backbone(
    depths,
    dims=(64, 128, 320, 512),
    stems=('patch',) * 4,
    scaled='',
    light=False,
    ndim=2,
    dense=False,
):
    """Keys of a backbone in the authors' order."""
    mlp = 3 if light else 4
    if light:
        stems = ('conv', 'patch', 'patch', 'patch')
    keys = [('cls_token', (1, 1, dims[2]))] * light
    for i in range(4):
        keys += embed(i + 1, dims, ndim, stems[i])
    if light:
        keys += affine('cls_upsample', dims[3], dims[2])
    for i in range(4):
        for j in range(depths[i]):
            keys += block(
                f'blocks{i + 1}.{j}',
                i + 1,
                dims[i],
                ndim,
                mlp,
                str(i + 1) in scaled,
            )
        if dense:
            keys += norm(f'norm{i + 1}', dims[i])
    if not dense:
        keys += norm('norm', dims[3], batch=True)
        keys += norm('norm_cls', dims[3]) * light
    return keys


def classifier(size, classes=1000, aux=False, **kwargs):
    options = SIZES[size] | kwargs
    dim = options.get('dims', (512,))[-1]
    keys = backbone(**options) + affine('head', classes, dim)
    if options.get('light'):
        keys += affine('head_cls', classes, dim)
    return keys + (affine('aux_head', classes, dim) if aux else [])


def conv_bn(name, *shape):
    """A convolution without bias and its norm."""
    return affine(f'{name}.conv', *shape, bias=False) + norm(
        f'{name}.bn', shape[0], batch=True
    )


def dense(size):
    keys = backbone(**SIZES[size], dense=True)
    return [(f'backbone.{name}', shape) for name, shape in keys]


def fpn(dims=(64, 128, 320, 512)):
    keys = []
    for i, dim in enumerate(dims):
        keys += affine(f'neck.lateral_convs.{i}.conv', 256, dim, 1, 1)
        keys += affine(f'neck.fpn_convs.{i}.conv', 256, 256, 3, 3)
    return keys


def mask_head(name, classes):
    keys = affine(f'{name}.upsample', 256, 256, 2, 2)
    for i in range(4):
        keys += affine(f'{name}.convs.{i}.conv', 256, 256, 3, 3)
    return keys + affine(f'{name}.conv_logits', classes, 256, 1, 1)


def box_outputs(name, classes):
    return affine(f'{name}.fc_cls', classes + 1, 1024) + affine(
        f'{name}.fc_reg', 4 * classes, 1024
    )


def rpn():
    return [
        *affine('rpn_head.rpn_conv', 256, 256, 3, 3),
        *affine('rpn_head.rpn_cls', 3, 256, 1, 1),
        *affine('rpn_head.rpn_reg', 12, 256, 1, 1),
    ]


def mask_rcnn(size='s', classes=80):
    head = 'roi_head.bbox_head'
    return [
        *dense(size),
        *fpn(),
        *rpn(),
        *affine(f'{head}.shared_fcs.0', 1024, 256 * 7 * 7),
        *affine(f'{head}.shared_fcs.1', 1024, 1024),
        *box_outputs(head, classes),
        *mask_head('roi_head.mask_head', classes),
    ]


def cascade(size='s', classes=80):
    keys = dense(size) + fpn() + rpn()
    for k in range(3):
        head = f'roi_head.bbox_head.{k}'
        for i in range(4):
            keys += conv_bn(f'{head}.shared_convs.{i}', 256, 256, 3, 3)
        keys += affine(f'{head}.shared_fcs.0', 1024, 256 * 7 * 7)
        keys += box_outputs(head, classes)
        keys += mask_head(f'roi_head.mask_head.{k}', classes)
    return keys


def semantic_fpn(size='s', classes=150):
    keys = dense(size) + fpn()
    for i in range(4):
        for j in range(max(i, 1)):
            dim = 128 if j else 256
            name = f'decode_head.scale_heads.{i}.{2 * j}'
            keys += conv_bn(name, 128, dim, 3, 3)
    return keys + affine('decode_head.conv_seg', classes, 128, 1, 1)


def upernet(size='s', classes=150):
    keys = dense(size)
    for i in range(4):
        keys += conv_bn(f'decode_head.psp_modules.{i}.1', 512, 512, 1, 1)
    keys += conv_bn('decode_head.bottleneck', 512, 512 * 5, 3, 3)
    for i, dim in enumerate((64, 128, 320)):
        keys += conv_bn(f'decode_head.lateral_convs.{i}', 512, dim, 1, 1)
        keys += conv_bn(f'decode_head.fpn_convs.{i}', 512, 512, 3, 3)
    keys += conv_bn('decode_head.fpn_bottleneck', 512, 512 * 4, 3, 3)
    keys += affine('decode_head.conv_seg', classes, 512, 1, 1)
    keys += conv_bn('auxiliary_head.convs.0', 256, 320, 3, 3)
    return keys + affine('auxiliary_head.conv_seg', classes, 256, 1, 1)


def pose(size='s'):
    keys, head = dense(size), 'keypoint_head'
    for i, dim in enumerate((512, 256, 256)):
        layer = f'{head}.deconv_layers.{3 * i}'
        keys += affine(layer, dim, 256, 4, 4, bias=False)
        keys += norm(f'{head}.deconv_layers.{3 * i + 1}', 256, batch=True)
    return keys + affine(f'{head}.final_layer', 17, 256, 1, 1)


def zeros(keys):
    """Tensors for the keys, all of them views of one number."""
    state = {}
    for name, shape in keys:
        counter = name.endswith('num_batches_tracked')
        dtype = torch.int64 if counter else torch.float32
        state[name] = torch.zeros((), dtype=dtype).expand(shape)
    return state
