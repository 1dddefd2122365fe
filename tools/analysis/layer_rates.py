#!/usr/bin/env python3
"""Learning rate of each layer of a config: layer_rates.py CONFIG [--plot F].

layer_rates.py configs/cls/uniformer_s_finetune.py --plot rates.png
"""

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import _env  # noqa: F401
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mmuniformer.analysis.complexity import build_on_meta
from mmuniformer.engine.config import exit_with, read_config
from mmuniformer.engine.layer_decay import rates_by_layer
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--plot', metavar='FILE', help='draw the rates, e.g. into a .png'
    )
    return parser.parse_args()


def draw(layers, path):
    """Writes a picture of the rates, on a logarithmic axis."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    depths = [layer.depth for layer in layers]
    axes.semilogy(depths, [layer.rate for layer in layers], 'o-')
    axes.set(xlabel='layer, from the input', ylabel='learning rate')
    figure.tight_layout()
    figure.savefig(path)


def main():
    """Prints a line per layer."""
    args = parse_args()
    MMLogger.get_current_instance().setLevel(logging.WARNING)
    try:
        cfg = read_config(args.config)
        init_default_scope(cfg.default_scope)
        model = build_on_meta(cfg.model)
        layers = list(rates_by_layer(model, cfg.optim_wrapper))
    except UserError as error:
        exit_with(error)
    print('layer  rate       tensors  values      first')
    for layer in layers:
        rates = f'{layer.rate:.3e}'
        if layer.highest != layer.rate:
            rates += f' to {layer.highest:.3e}'
        print(
            f'{layer.depth:5}  {rates}  {layer.tensors:7}  '
            f'{layer.values:10,}  {layer.first}'
        )
    if args.plot:
        draw(layers, args.plot)


if __name__ == '__main__':
    main()
