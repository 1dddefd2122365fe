"""Label maps from a teacher."""

from importlib.util import find_spec

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from .. import ROOT

if find_spec('mmpretrain') is None:
    pytest.skip('needs mmpretrain', allow_module_level=True)


@pytest.fixture(scope='module')
def made(toy_data, run_tool, tmp_path_factory):
    """A teacher without knowledge, its maps and a second run."""
    folder = tmp_path_factory.mktemp('maps')
    cfg = Config.fromfile(ROOT / 'configs/cls/uniformer_toy.py')
    cfg.train_dataloader.dataset.data_root = str(toy_data / 'imagenet')
    cfg.dump(folder / 'teacher.py')
    init_default_scope('mmpretrain')
    model = MODELS.build(cfg.model)
    torch.save(dict(state_dict=model.state_dict()), folder / 'teacher.pth')
    names = 'teacher.py', 'teacher.pth', 'maps'
    command = (
        'make_token_labels.py',
        *(folder / name for name in names),
        *('--size', 96, '--top', 3, '--batch-size', 4, '--workers', 0),
    )
    first = run_tool(*command)
    assert first.returncode == 0, first.stderr
    next((folder / 'maps').glob('*/*.pt')).unlink()
    return folder / 'maps', first.stdout, run_tool(*command).stdout


def test_a_map_for_each_picture(made, toy_data):
    pictures = (toy_data / 'imagenet/train').glob('*/*.JPEG')
    wanted = {f'{p.parent.name}/{p.stem}.pt' for p in pictures}
    got = {str(path.relative_to(made[0])) for path in made[0].glob('*/*')}
    assert got == wanted


def test_maps_have_the_form_of_the_authors(made):
    label = torch.load(next(made[0].glob('*/*.pt')), weights_only=True)
    assert (label.shape, label.dtype) == ((2, 3, 3, 3), torch.float16)
    scores, ids = label
    assert (scores[:-1] >= scores[1:]).all()
    assert (ids == ids.round()).all() and 0 <= ids.min() and ids.max() < 8


def test_only_what_is_missing_is_made(made):
    _, first, second = made
    assert '6 maps made, 6 in all' in first
    assert '1 maps made, 6 in all' in second
