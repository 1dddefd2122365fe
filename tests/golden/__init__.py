"""Recorded outputs of the official models, and how to compare with them."""

import json
from pathlib import Path

import numpy as np
import torch

from . import fill

FOLDER = Path(__file__).parent


class Golden:
    """One recorded case; see ``fill.py`` for its weights and inputs."""

    def __init__(self, case):
        self.case = case
        self.record = json.loads((FOLDER / f'{case}.json').read_text())
        self.keys = [
            (name, tuple(shape)) for name, shape in self.record['keys']
        ]

    def state(self):
        return {
            name: torch.from_numpy(np.asarray(fill.tensor(name, shape)))
            for name, shape in self.keys
        }

    def input(self):
        values = fill.model_input(self.case, self.record['input'])
        return torch.from_numpy(values)

    def loss(self, outputs):
        """The scalar whose gradients are recorded."""
        return sum(
            (
                out
                * torch.from_numpy(fill.loss_weight(self.case, i, out.shape))
            ).sum()
            for i, out in enumerate(outputs)
        )

    def check_outputs(self, outputs):
        assert len(outputs) == len(self.record['outputs'])
        for out, wanted in zip(outputs, self.record['outputs']):
            check_tensor(out, wanted)

    def check_gradients(self, x, parameters):
        check_tensor(x.grad, self.record['grad_input'])
        wanted = self.record['grad_norms']
        assert set(wanted) == set(parameters)
        got = {name: p.grad.norm().item() for name, p in parameters.items()}
        worst = max(wanted, key=lambda n: error(got[n], wanted[n]))
        assert error(got[worst], wanted[worst]) <= 1e-9, worst


def error(got, wanted):
    return abs(got - wanted) / (1 + abs(wanted))


def check_tensor(got, wanted):
    """Compares a tensor with its recorded samples, mean and deviation."""
    assert list(got.shape) == wanted['shape']
    flat = got.detach().reshape(-1).numpy()
    samples = flat[fill.sample_positions(flat.size)]
    recorded = np.array(wanted['values'])
    assert np.all(np.abs(samples - recorded) <= 1e-9 * (1 + np.abs(recorded)))
    assert error(flat.mean(), wanted['mean']) <= 1e-9
    assert error(flat.std(), wanted['std']) <= 1e-9
