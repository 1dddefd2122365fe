"""Packages are found with ``pkg_resources`` and without."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmuniformer.compat import package_paths

from .. import ROOT


def found_by(path_of):
    module = SimpleNamespace(get_installed_path=path_of, is_installed=len)
    package_paths.apply(module)
    return module


def without(package):
    raise ModuleNotFoundError("No module named 'pkg_resources'")


def test_a_right_answer_stays(tmp_path):
    module = found_by(lambda package: str(tmp_path))
    assert module.get_installed_path('pytest') == str(tmp_path)


@pytest.mark.parametrize('wrong', [without, lambda package: '/no/such'])
def test_a_wrong_answer_or_none_is_replaced(wrong):
    path = found_by(wrong).get_installed_path('mmuniformer')
    assert path == str(ROOT / 'mmuniformer')


def test_a_distribution_may_have_another_name_than_its_module():
    path = found_by(without).get_installed_path('opencv-python')
    assert path.endswith('cv2')


def test_what_is_not_there():
    module = found_by(without)
    assert not module.is_installed('no_such_package')
    with pytest.raises(ModuleNotFoundError, match='no_such_package'):
        module.get_installed_path('no_such_package')


def test_a_base_of_this_package(tmp_path):
    own = tmp_path / 'own.py'
    own.write_text("_base_ = 'mmuniformer::_base_/models/fpn_uniformer.py'\n")
    assert Config.fromfile(own).model.backbone.type == 'mmuniformer.UniFormer'
