"""Damaged videos and wrong lists in a run of the tools."""

import pytest
from mmengine.config import Config

from mmuniformer.engine.ending import LOST_WORDS

from .. import TINY

pytest.importorskip('mmaction')
pytest.importorskip('decord')
pytest.importorskip('timm')
from ..hosts.videos import PACK, VIDEO, folders, videos

CENTER = [
    VIDEO[0],
    dict(VIDEO[1], num_clips=2, test_mode=True),
    VIDEO[2],
    dict(type='mmuniformer.ClipResize', size=32),
    dict(type='mmuniformer.ClipCrop', size=32, num_crops=3),
    *PACK,
]
TRAIN = [
    *VIDEO,
    dict(
        type='mmuniformer.RepeatedAugment',
        num_repeats=2,
        transforms=[
            dict(type='mmuniformer.ClipAutoAugment', policy='rand'),
            dict(type='mmuniformer.ClipResizedCrop', size=32),
            dict(type='Flip', flip_ratio=0.5),
            dict(
                type='mmuniformer.ClipErasing',
                prob=0.25,
                mean=[114.75] * 3,
                std=[57.375] * 3,
            ),
            *PACK,
        ],
    ),
]


@pytest.fixture
def recipe(tmp_path):
    """A config of one epoch on four videos, tested on two others."""
    loader = dict(
        batch_size=2,
        num_workers=1,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='repeat_pseudo_collate'),
        dataset=dict(videos(tmp_path, 'abcd'), pipeline=TRAIN),
    )
    tested = dict(
        batch_size=1,
        num_workers=1,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(videos(tmp_path, 'ef', 'val'), pipeline=CENTER),
    )
    model = dict(
        type='Recognizer3D',
        data_preprocessor=dict(
            type='ActionDataPreprocessor',
            mean=[114.75] * 3,
            std=[57.375] * 3,
            format_shape='NCTHW',
            blending=dict(type='mmuniformer.ClipMix', num_classes=4),
        ),
        backbone=dict(
            type='mmuniformer.UniFormer', arch=TINY, ndim=3, out_indices=3
        ),
        cls_head=dict(
            type='I3DHead',
            num_classes=4,
            in_channels=32,
            label_smooth_eps=0.1,
            average_clips='score',
        ),
    )
    cfg = Config(
        dict(
            _base_=[],
            default_scope='mmaction',
            custom_imports=dict(imports=['mmuniformer.compat']),
            custom_hooks=[dict(type='mmuniformer.LoadReportHook')],
            default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
            model=model,
            train_dataloader=loader,
            val_dataloader=tested,
            test_dataloader=tested,
            val_evaluator=dict(type='AccMetric'),
            test_evaluator=dict(type='AccMetric'),
            train_cfg=dict(by_epoch=True, max_epochs=1, val_interval=1),
            val_cfg=dict(),
            test_cfg=dict(),
            optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-4)),
            randomness=dict(seed=0),
        )
    )
    path = tmp_path / 'recipe.py'
    cfg.dump(path)
    return path


def last_line(done):
    assert done.returncode == 2, done.stderr[-3000:]
    lines = [x for x in done.stderr.splitlines() if x.startswith('error: ')]
    assert len(lines) == 1, done.stderr[-3000:]
    return lines[0]


def test_training_goes_on_and_names_the_file(run_tool, recipe, tmp_path):
    path = tmp_path / 'train/b.mp4'
    path.write_bytes(path.read_bytes()[:600])
    done = run_tool('train.py', recipe, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count(f"'{path}', 600 bytes, cannot be read") == 1
    assert 'another sample takes its place' in done.stdout
    assert 'acc/top1' in done.stdout

    weights = tmp_path / 'work_dirs/recipe/epoch_1.pth'
    path = tmp_path / 'val/f.mp4'
    path.write_bytes(b'')
    done = run_tool('test.py', recipe, weights, cwd=tmp_path)
    line = last_line(done)
    assert line.startswith(f"error: '{path}', 0 bytes, cannot be read")


def test_nothing_that_can_be_read(run_tool, recipe, tmp_path):
    for path in (tmp_path / 'train').iterdir():
        path.write_bytes(b'')
    # In this process: a worker that reads on would write into the line.
    options = '--cfg-options', 'train_dataloader.num_workers=0'
    line = last_line(run_tool('train.py', recipe, *options, cwd=tmp_path))
    assert 'samples in a row cannot be read; the last:' in line
    assert '.mp4' in line


@pytest.mark.parametrize(
    'text, wanted',
    [
        ('a.mp4,0\nb.mp4\n', "line 2: 'b.mp4'; wanted 'PATH,LABEL'"),
        ('a.mp4,0\nb.mp4,4\n', "line 2: label 4 of 'b.mp4', but"),
        ('x.mp4,0\ny.mp4,1\n', '2 of the first 2 videos'),
    ],
)
def test_wrong_list(run_tool, recipe, tmp_path, text, wanted):
    (tmp_path / 'train.csv').write_text(text)
    done = run_tool('train.py', recipe, cwd=tmp_path)
    assert wanted in last_line(done) and 'Traceback' not in done.stderr


def test_a_broken_frame_in_one_of_two_processes(recipe, tmp_path, run_tool):
    """It is named and ends both; the other one loses its connection."""
    cfg = Config.fromfile(recipe)
    cfg.val_dataloader.dataset = folders(tmp_path, 'ef', 'val')
    (tmp_path / 'frames/f/img_00001.jpg').write_bytes(b'no picture')
    sampling = dict(VIDEO[1], clip_len=12, frame_interval=1, test_mode=True)
    cfg.val_dataloader.dataset.pipeline[0] = sampling
    cfg.dump(recipe)
    done = run_tool('dist_train.sh', recipe, 2, cwd=tmp_path)
    assert done.returncode != 0
    lines = [x for x in done.stderr.splitlines() if x.startswith('error: ')]
    causes = [line for line in lines if LOST_WORDS not in line]
    assert len(causes) == 1 and 'f/img_00001.jpg' in causes[0], done.stderr
