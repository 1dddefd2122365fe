"""docs/models.md says what the table of published files says."""

import re

import pytest

from mmuniformer.errors import UserError
from mmuniformer.weights.published import table
from mmuniformer.zoo import models_page
from mmuniformer.zoo.metafiles import metrics

from .. import ROOT

ROWS = {
    found[1]: found[2]
    for line in reversed((ROOT / 'docs/models.md').read_text().splitlines())
    if (found := re.match(r'\| `configs/(.+?)\.py` \|(.*)', line))
}
PORTS = ('uniformer-', 'top_down_uniformer_')  # converted by others


@pytest.mark.parametrize(
    'release',
    [r for r in table().values() if not r.name.startswith(PORTS)],
    ids=lambda release: release.name,
)
def test_published_metrics_are_in_the_row(release):
    cells = [cell.strip() for cell in ROWS[release.config].split('|')]
    for value in metrics(release).values():
        assert f'{value:.1f}' in cells
    assert f'{release.params}M' in cells


def test_tables_are_what_was_measured():
    text = (ROOT / 'docs/models.md').read_text()
    assert models_page.page(text) == text


def test_a_wrong_cell_is_put_right():
    text = (ROOT / 'docs/models.md').read_text()
    wrong = text.replace('3.63G', '3.36G', 1).replace('82.9', '92.8', 1)
    assert wrong != text and models_page.page(wrong) == text


def test_a_config_that_was_not_measured_is_refused():
    head = '| config | FLOPs |\n'
    with pytest.raises(UserError, match='not measured'):
        models_page.page(head + '| `configs/cls/another.py` | 1G |\n')
