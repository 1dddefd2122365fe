"""Names of models: the table, what they stand for, the index of OpenMMLab."""

import modelindex
import pytest
from mmengine.hub import get_config

from mmuniformer.errors import UserError
from mmuniformer.weights.published import table
from mmuniformer.zoo import list_models, metafiles
from mmuniformer.zoo.names import TASKS, find_model

from .. import ROOT

FILES = ['model-index.yml'] + [f'configs/{t}/metafile.yml' for t in TASKS]


def test_all_names_are_listed_once():
    assert list_models() == list(table())


@pytest.mark.parametrize(
    'arguments, wanted',
    [
        (dict(pattern='cascade*'), 2),
        (dict(task='det'), 8),
        (dict(task='cls', pattern='*_384'), 4),
    ],
)
def test_lists_are_filtered(arguments, wanted):
    assert len(list_models(**arguments)) == wanted


def test_pretrained_ones_have_an_address():
    names = list_models(pretrained=True)
    assert 'uniformer_small_in1k' in names
    assert all(table()[name].addresses for name in names)


def test_an_unknown_task():
    with pytest.raises(UserError, match="task='seq': wanted one of cls"):
        list_models(task='seq')


@pytest.mark.parametrize(
    'name, wanted',
    [
        ('uniformer_small_in1k', 'uniformer_small_in1k'),
        ('uniformer_small', 'uniformer_small_in1k'),
        ('uniformer_s', 'uniformer_small_in1k'),
        ('uniformer_xxs', 'uniformer_xxs_224_in1k'),
        ('uniformer_l', 'uniformer_large_ls_tl_224'),
        ('mask_rcnn_uniformer_b', 'mask_rcnn_1x_hybrid_base'),
        ('upernet_uniformer_s_ade20k', 'upernet_global_small'),
        ('uniformer_s_16x4_k400', 'uniformer_s16x4_k400'),
    ],
)
def test_what_a_name_stands_for(name, wanted):
    assert find_model(name).name == wanted


def test_a_misspelt_name_gets_near_ones():
    with pytest.raises(UserError, match='uniformer_small_in1k'):
        find_model('uniformer_smal_in1k')


@pytest.mark.parametrize('release', table().values(), ids=lambda r: r.name)
def test_the_recipe_of_a_name_exists(release):
    assert (ROOT / f'configs/{release.config}.py').is_file()


def test_every_published_recipe_has_a_name():
    ours = ('toy', 'finetune', 'layer_decay')
    configs = {
        p.relative_to(ROOT / 'configs').with_suffix('').as_posix()
        for p in (ROOT / 'configs').glob('[a-z]*/*.py')
        if p.parent.name in TASKS and not any(word in p.stem for word in ours)
    }
    assert configs == {release.config for release in table().values()}


@pytest.mark.parametrize('file', FILES)
def test_the_index_is_that_of_the_table(file, tmp_path):
    for task in TASKS:
        (tmp_path / 'configs' / task).mkdir(parents=True)
    metafiles.write(tmp_path)
    assert (tmp_path / file).read_text() == (ROOT / file).read_text()


def test_openmmlabs_own_reader_finds_no_fault_in_the_index():
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    assert index.check(silent=True) == []
    assert [model.name for model in index.models] == list_models()
    for model in index.models:
        assert model.full_model.paper and model.results
        assert (ROOT / model.config).is_file()


def test_mmengines_hub_finds_a_config():
    cfg = get_config('mmuniformer::det/mask_rcnn_uniformer_b.py')
    assert cfg.model.type == 'MaskRCNN'
