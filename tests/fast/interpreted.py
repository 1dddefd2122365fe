"""What test_depthwise_gpu.py looks at, in a process of its own.

Triton decides when it is imported whether it compiles or interprets. The
operators get an implementation for CPUs here: the kernels, interpreted.
"""

import contextlib
import json

import torch
import torch.nn.functional as F

from mmuniformer.fast import depthwise, depthwise_gpu, depthwise_triton
from mmuniformer.models.layers import LAYERS
from mmuniformer.models.tokens import to_channels_last

# Widths that are no multiple of four, channels that fill no program.
CASES = {
    'one pixel': ((1, 1, 1), 5, 3),
    'few channels': ((3, 2, 5), 3, 8),
    'more channels than a program has': ((2, 3, 6), 3, 72),
    'a large kernel': ((3, 4, 6), 5, 24),
}
NAMES = ('output', 'x', 'weight', 'bias')
calls = []


def counted(run):
    """An operator's implementation for GPUs, whose calls are kept."""

    def call(*args):
        calls.append(run.__name__)
        return run(*args)

    return call


def build(shape, kernel_size, channels, dtype=torch.float32):
    torch.manual_seed(0)
    layer = LAYERS[len(shape)].depthwise(channels, kernel_size)
    x = to_channels_last(torch.randn(2, channels, *shape).to(dtype))
    return layer, x.requires_grad_()


def errors(layer, x, call=None):
    """Of output and gradients, in parts of the greatest value; dtypes."""
    mine = x, layer.weight, layer.bias
    own = [v.detach().double().requires_grad_() for v in mine]
    padding, groups = layer.padding, layer.groups
    wanted = F.conv3d(*own, padding=padding, groups=groups)
    found = layer(x) if call is None else call(x)
    torch.manual_seed(1)
    grad = torch.randn(wanted.shape).to(found.dtype)
    pairs = zip(
        (found, *torch.autograd.grad(found, mine, grad)),
        (wanted, *torch.autograd.grad(wanted, own, grad.double())),
    )
    result = {}
    for name, (a, b) in zip(NAMES, pairs):
        apart = (a.detach().double() - b.detach()).abs().max()
        result[name] = [
            str(a.dtype)[6:],
            float(apart / b.detach().abs().max()),
        ]
    return result


def strides():
    """Whether the operators' outputs lie as compilers are told."""
    layer, x = build((2, 3, 6), 3, 8)
    x = x.detach()
    found = []
    for name, *inputs in (
        ('depthwise', x, layer.weight, layer.bias),
        ('depthwise_gradients', x, x, layer.weight, True),
    ):
        run = getattr(torch.ops.mmuniformer, name)
        with torch.no_grad():
            real = run(*inputs)
            fake = run(
                *(t.to('meta') if torch.is_tensor(t) else t for t in inputs)
            )
        pairs = zip(*([v] if torch.is_tensor(v) else v for v in (real, fake)))
        found += [a.stride() == b.stride() for a, b in pairs]
    return found


def second():
    """Error of a gradient of a gradient, which torch computes."""
    layer, x = build((2, 3, 5), 3, 4)
    own = layer.weight.detach().double().requires_grad_()
    y = x.detach().double().requires_grad_()
    exact = F.conv3d(y, own, layer.bias.double(), padding=1, groups=4)
    found = []
    pairs = ((layer(x), x, layer.weight), (exact, y, own))
    for out, value, weight in pairs:
        out = out.square().sum()
        (g,) = torch.autograd.grad(out, value, create_graph=True)
        found += torch.autograd.grad(g.square().sum(), weight)
    return float((found[0] - found[1]).abs().max() / found[1].abs().max())


def frozen():
    """Which tensors have gradients where the weights are frozen."""
    layer, x = build((2, 3, 5), 3, 4)
    layer.requires_grad_(False)
    layer(x).sum().backward()
    return [x.grad is not None, layer.weight.grad is not None]


def compiled():
    """Errors of a compiled layer, and which operators its graphs have."""
    layer, x = build((2, 3, 6), 3, 8)
    calls.clear()
    call = torch.compile(layer, backend='aot_eager', fullgraph=True)
    found = errors(layer, x, call)
    return dict(errors=found, calls=sorted(set(calls)))


def main():
    library = torch.library.Library('mmuniformer', 'FRAGMENT')
    forward, gradients = depthwise_gpu._forward, depthwise_gpu._gradients
    library.impl('depthwise', counted(forward), 'CPU')
    library.impl('depthwise_gradients', counted(gradients), 'CPU')
    depthwise_gpu.kernels = lambda index: depthwise_triton
    torch.cuda.device = contextlib.nullcontext
    depthwise.applies = lambda layer, x: True
    depthwise.convolve = depthwise_gpu.convolve
    answers = {name: errors(*build(*case)) for name, case in CASES.items()}
    low = build((4, 4, 8), 5, 8, torch.bfloat16)
    print(json.dumps(dict(
        errors=answers, calls=calls[:2], half=errors(*low), second=second(),
        frozen=frozen(), compiled=compiled(), strides=strides(),
    )))  # fmt: skip


if __name__ == '__main__':
    main()
