"""What tools/test.py --out keeps."""

import pickle

import torch
from mmengine.config import Config
from mmengine.registry import METRICS

from mmuniformer.engine import dump


def test_label_maps_are_kept_and_scores_of_classes_are_not(tmp_path):
    cfg = Config(dict(default_scope='mmseg', test_evaluator=dict(type='A')))
    path = str(tmp_path / 'results.pkl')
    dump.dump_to(cfg, path)
    assert cfg.test_evaluator[0] == dict(type='A')
    metric = METRICS.build(cfg.test_evaluator[1])
    labels = torch.arange(6).view(1, 2, 3)
    sample = dict(
        seg_logits=dict(data=torch.zeros(150, 2, 3)),
        pred_sem_seg=dict(data=labels),
        img_path='a.jpg',
    )
    metric.process({}, [sample])
    assert 'seg_logits' in sample  # other metrics may want it
    metric.evaluate(1)
    with open(path, 'rb') as file:
        (kept,) = pickle.load(file)
    assert set(kept) == {'pred_sem_seg', 'img_path'}
    assert (kept['pred_sem_seg']['data'] == labels).all()


def test_other_tasks_dump_as_their_hosts_do():
    for scope, kind in (
        ('mmdet', 'DumpDetResults'),
        ('mmpose', 'DumpResults'),
    ):
        cfg = Config(
            dict(default_scope=scope, test_evaluator=[dict(type='A')])
        )
        dump.dump_to(cfg, 'results.pkl')
        assert cfg.test_evaluator[1].type == kind
