"""Lists of videos: their lines, their files, their classes."""

import subprocess
import sys

import pytest
from mmengine.config import Config

from mmuniformer.checks import data as data_checks
from mmuniformer.checks import datasets, videos
from mmuniformer.errors import UserError

from .. import ROOT
from .common import errors, warnings


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(lines) + '\n')
    return path


def read(path, *lines, **kwargs):
    found = videos.read_list(write(path, *lines), **kwargs)
    return [tuple(video) for video in found]


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'a.csv'


def test_paths_may_have_the_delimiter(path):
    assert read(path, 'a b, c.mp4,3', '', '/d,e.mp4, 4', delimiter=',') == [
        (1, 'a b, c.mp4', 0, 3),
        (3, '/d,e.mp4', 0, 4),
    ]


def test_any_white_space(path):
    assert read(path, 'a b.avi 3', 'c.avi\t 4 ') == [
        (1, 'a b.avi', 0, 3),
        (2, 'c.avi', 0, 4),
    ]


def test_frames(path):
    assert read(path, 'a b 12 3', '7 1 0', frames=True) == [
        (1, 'a b', 12, 3),
        (2, '7', 1, 0),
    ]


def test_lines_of_windows(path):
    path.write_bytes(b'\xef\xbb\xbfa.mp4,0\r\nb.mp4,1\r\n')
    found = videos.read_list(path, ',')
    assert [(v.path, v.label) for v in found] == [('a.mp4', 0), ('b.mp4', 1)]


@pytest.mark.parametrize(
    'line, options, wanted',
    [
        ('b.mp4', dict(delimiter=','), "'b.mp4'; wanted 'PATH,LABEL'"),
        ('b.mp4 1', dict(delimiter=','), "'b.mp4 1'; wanted 'PATH,LABEL'"),
        ('b.mp4,x', dict(delimiter=','), "'b.mp4,x'; wanted 'PATH,LABEL'"),
        ('b.mp4,-1', dict(delimiter=','), 'numbers from 0'),
        ('b.mp4,1.5', dict(delimiter=','), 'wanted'),
        ('b,1', {}, "wanted 'PATH LABEL'"),
        ('b 1', dict(frames=True), "wanted 'PATH FRAMES LABEL'"),
        ('b -3 1', dict(frames=True), "wanted 'PATH FRAMES LABEL'"),
        ('b 0 1', dict(frames=True), "'b' has 0 frames"),
    ],
)
def test_wrong_line(path, line, options, wanted):
    good = 'a 5 0' if options.get('frames') else 'a 0'
    good = good.replace(' ', options.get('delimiter', ' '))
    with pytest.raises(UserError, match=r"a\.csv', line 2: ") as error:
        read(path, good, line, **options)
    assert wanted in str(error.value)


def test_reading_needs_neither_models_nor_pytorch():
    """A fresh process, since this one has them."""
    code = (
        'import sys, mmuniformer.checks.videos\n'
        "names = 'torch', 'mmengine', 'mmuniformer.models'\n"
        'print([name for name in names if name in sys.modules])'
    )
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == '[]\n', done.stderr


def test_no_lines(path):
    with pytest.raises(UserError, match=r"a\.csv' is empty; wanted"):
        read(path, '', ' ')
    path.write_bytes(b'\xff\xfe\x00')
    with pytest.raises(UserError, match=r"a\.csv' cannot be read .*wanted"):
        videos.read_list(path)
    with pytest.raises(UserError, match=r"none\.csv' cannot be read"):
        videos.read_list(path.with_name('none.csv'))


def config(root, classes=5, **dataset):
    """As much of a config as the checks look at."""
    root.mkdir(exist_ok=True)
    blending = dict(type='mmuniformer.ClipMix', num_classes=classes)
    loader = dict(
        dataset=dict(
            type='mmuniformer.ClipDataset',
            data_root=str(root),
            ann_file='train.csv',
            data_prefix=dict(video='train'),
        )
    )
    loader['dataset'].update(dataset)
    return Config(
        dict(
            default_scope='mmaction',
            model=dict(
                data_preprocessor=dict(blending=blending),
                cls_head=dict(num_classes=classes),
            ),
            train_dataloader=loader,
        )
    )


def check(cfg):
    data_checks.check_data(cfg, ('train',))


@pytest.fixture
def root(tmp_path):
    """Three videos and three folders of frames, as far as names go."""
    write(tmp_path / 'train.csv', 'a.mp4,0', 'b.mp4,4', 'c.mp4,1')
    write(tmp_path / 'train.txt', 'a 3 0', 'b 3 4', 'c 3 1')
    for name in 'abc':
        write(tmp_path / f'train/{name}.mp4')
        for number in (1, 2, 3):
            write(tmp_path / f'frames/{name}/{number:05}.jpg')
    return tmp_path


FRAMES = dict(
    type='mmuniformer.FrameDataset',
    ann_file='train.txt',
    data_prefix=dict(img='frames'),
    filename_tmpl='{:05}.jpg',
)
needs_mmaction = pytest.mark.usefixtures('mmaction')


@pytest.fixture
def mmaction():
    pytest.importorskip('mmaction')


@needs_mmaction
@pytest.mark.parametrize('dataset', [{}, FRAMES], ids=['videos', 'frames'])
@pytest.mark.parametrize('test_mode', [False, True])
def test_what_fits(root, dataset, test_mode):
    check(config(root, **dataset, test_mode=test_mode))


@needs_mmaction
@pytest.mark.parametrize(
    'name, wanted',
    [
        (
            'kinetics400',
            r'cvdfoundation.*make_toyworld\.py --layouts kinetics',
        ),
        ('sthv1', r'FOLDER FRAMES LABEL; .*--layouts ssv'),
        ('ucf101', r'crcv\.ucf\.edu[^;]*$'),
    ],
)
def test_no_data_says_where_to_get_it(tmp_path, name, wanted):
    with pytest.raises(UserError, match=r"train\.csv' does not.*" + wanted):
        check(config(tmp_path / name))


@needs_mmaction
def test_training_needs_one_video_and_a_test_all(root):
    for name in 'ab':
        (root / f'train/{name}.mp4').unlink()
    data_checks.check_data(config(root), ('train',))
    wanted = r'2 of the 3 videos in .*train\.csv.*missing: .*a\.mp4, .*b\.mp4'
    with pytest.raises(UserError, match=wanted):
        data_checks.check_data(config(root, test_mode=True), ('train',))
    (root / 'train/c.mp4').unlink()
    with pytest.raises(UserError, match='3 of the first 3 videos'):
        data_checks.check_data(config(root), ('train',))


@needs_mmaction
def test_suffix_that_mmaction2_adds(root):
    write(root / 'train.csv', 'a,0', 'b,1')
    data_checks.check_data(config(root, test_mode=True), ('train',))


@needs_mmaction
def test_frames_of_another_name(root):
    wanted = r"a/img_00001\.jpg' does not .*: 00001\.jpg and 2 more.*tmpl='img"
    with pytest.raises(UserError, match=wanted):
        check(config(root, **FRAMES | dict(filename_tmpl='img_{:05}.jpg')))


@needs_mmaction
@pytest.mark.parametrize('dataset', [{}, FRAMES], ids=['videos', 'frames'])
def test_a_label_without_a_class(root, dataset):
    wanted = (
        r"line 2: label 4 of 'b.*', but .*num_classes=4; wanted labels from 0 "
        r'to 3'
    )
    with pytest.raises(UserError, match=wanted):
        check(config(root, 4, **dataset))


@needs_mmaction
@pytest.mark.parametrize('kind', ['ClipMix', 'RandomBatchAugment'])
def test_a_mix_of_other_classes(root, kind):
    cfg = config(root)
    mixers = dict(type=kind, num_classes=400)
    if kind != 'ClipMix':
        mixers = dict(type=kind, augments=[mixers, mixers])
    cfg.model.data_preprocessor.blending = mixers
    with pytest.raises(UserError, match=r'cls_head.num_classes=5, but .*400'):
        check(cfg)


def test_toy_world_is_known_by_its_marker(root):
    assert not datasets.is_toyworld(config(root))
    write(root / 'toyworld.json', '{"description": "mmuniformer toy world"}')
    assert datasets.is_toyworld(config(root))


@needs_mmaction
def test_labels_from_1(root):
    write(root / 'train.csv', 'a.mp4,1', 'b.mp4,5')
    assert 'subtract 1' in errors(config(root), ('train',))[0]


@needs_mmaction
def test_a_video_with_two_labels(root):
    write(root / 'train.csv', 'a.mp4,1', 'b.mp4,2', 'a.mp4,2')
    lines = warnings(config(root), ('train',))
    assert "line 3: 'a.mp4' has label 2, and 1 in another" in lines[0]


@needs_mmaction
def test_classes_that_are_folders(root):
    for path in ('jump/a.mp4', 'run/b.avi', '.hidden/c.mp4', 'run/d.txt'):
        write(root / 'train' / path)
    cfg = config(root, 2)
    cfg.train_dataloader.dataset.ann_file = ''
    check(cfg)
    assert not warnings(cfg, ('train',))
    cfg.model.cls_head.num_classes = 3
    cfg.model.data_preprocessor.blending.num_classes = 3
    assert '2 folders of classes, but' in errors(cfg, ('train',))[0]
    write(root / 'train/walk/a.xyz')
    assert 'counts as class 2' in warnings(cfg, ('train',))[0]


@needs_mmaction
@pytest.mark.parametrize(
    'lines, options, wanted',
    [
        (['a.mp4 0', 'b.mp4 4'], {}, ''),
        (['a.mp4 0', 'b.mp4 5'], {}, 'label 5'),
        (['a.mp4', 'b.mp4'], dict(test_mode=True), ''),
        (['a.mp4 0 3', 'b.mp4 4'], dict(multi_class=True), ''),
        (['x.mp4 0', 'b.mp4 4'], dict(test_mode=True), '1 of the 2 videos'),
        (['a.mp4 0', 'b.mp4 x'], {}, 'line 2'),
    ],
)
def test_lists_of_mmaction2_itself(root, lines, options, wanted):
    write(root / 'train.txt', *lines)
    cfg = config(root, type='VideoDataset', ann_file='train.txt', **options)
    got = errors(cfg, ('train',))
    assert (wanted in got[0]) if wanted else not got, got


@needs_mmaction
def test_frames_of_mmaction2_itself(root):
    kind = FRAMES | dict(type='RawframeDataset')
    assert not errors(config(root, **kind), ('train',))
    kind['filename_tmpl'] = 'img_{:05}.jpg'
    assert 'filename_tmpl' in errors(config(root, **kind), ('train',))[0]
