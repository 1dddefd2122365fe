"""docs/models.md says what the table of published files says."""

import re

import pytest

from mmuniformer.weights.published import table
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
