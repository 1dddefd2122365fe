"""What ``tools/test.py --out`` writes of a test."""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config
from mmengine.evaluator import DumpResults

from ..registry import METRICS

# By scope; of the others mmengine's own.
DUMPS = {
    'mmdet': 'DumpDetResults',
    'mmseg': 'mmuniformer.DumpLabelMaps',
}


@METRICS.register_module()
class DumpLabelMaps(DumpResults):
    """Dumps label maps without the scores of every class.

    Of 150 classes the scores take 46 MB for a picture of 320 x 240, all of
    which would be kept until the end of the test.
    """

    def process(self, data_batch: Any, predictions: Sequence[dict]) -> None:
        """Keeps what is dumped of a batch; the samples stay as they are."""
        kept = [
            {key: value for key, value in one.items() if key != 'seg_logits'}
            for one in predictions
        ]
        super().process(data_batch, kept)


def dump_to(cfg: Config, path: str) -> None:
    """Has a test write its raw predictions, beside its metrics.

    Args:
        cfg: Whole config; changed in place.
        path: A .pkl file.
    """
    kind = DUMPS.get(cfg.get('default_scope'), 'DumpResults')
    metrics = cfg.test_evaluator
    metrics = metrics if isinstance(metrics, list) else [metrics]
    cfg.test_evaluator = [*metrics, dict(type=kind, out_file_path=path)]
