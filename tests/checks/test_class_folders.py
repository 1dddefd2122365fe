"""Folders of classes and lists of pictures."""

import json

import pytest

from .common import (
    classification,
    errors,
    picture,
    warnings,
    write_folders,
)

pytest.importorskip('mmpretrain')


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path)


def of_list(root, text, **dataset):
    (root / 'list.txt').write_text(text)
    cfg = classification(
        root, ann_file='list.txt', data_prefix='train',
        metainfo=dict(classes=['a', 'b', 'c']), **dataset,
    )  # fmt: skip
    return errors(cfg, ('train',))


def test_hidden_folders_are_no_classes(root):
    (root / 'train/.ipynb_checkpoints').mkdir()
    picture(root / 'train/a/.ipynb_checkpoints/0-checkpoint.jpg')
    assert not errors(classification(root))
    assert not warnings(classification(root))


def test_mmpretrain_leaves_out_hidden_folders(root):
    from mmpretrain.datasets import CustomDataset

    (root / 'train/.ipynb_checkpoints').mkdir()
    picture(root / 'train/a/.ipynb_checkpoints/0-checkpoint.jpg')
    data = CustomDataset(data_root=str(root), data_prefix='train')
    assert data.CLASSES == ('a', 'b', 'c') and len(data) == 6
    assert [data[i]['gt_label'] for i in range(6)] == [0, 0, 1, 1, 2, 2]


def test_another_number_of_folders(root):
    picture(root / 'train/d/0.jpg')
    lines = errors(classification(root))
    assert '4 classes, but' in lines[0] and 'num_classes=3' in lines[0]
    # One key of the config, not the option of each part.
    assert 'set num_classes=4 in the config' in lines[0]
    assert any(
        'only one has d' in line for line in errors(classification(root))
    )


@pytest.mark.parametrize(
    'names, wanted',
    [
        ('abc', ''),
        ('xyz', ''),
        ('bac', "class 0 of CustomDataset is folder 'a', but 'b'"),
        ('abd', "class 2 of CustomDataset is folder 'c', but 'd'"),
    ],
)
def test_names_of_folders_and_of_the_config(root, names, wanted):
    cfg = classification(root, metainfo=dict(classes=[*names]))
    wrong = errors(cfg, ('train',))
    assert bool(wrong) is (names == 'bac')
    got = [*wrong, *warnings(cfg, ('train',))]
    assert (wanted in got[0]) if wanted else not got


def test_an_empty_folder_that_counts_is_named(root):
    (root / 'train/__MACOSX').mkdir()
    line = errors(classification(root), ('train',))[0]
    assert 'as __MACOSX without a picture counts as one' in line


def test_empty_classes_and_endings_are_counted(root):
    (root / 'train/b/0.jpg').rename(root / 'train/b/0.webp')
    (root / 'train/b/1.jpg').rename(root / 'train/b/1.txt')
    lines = warnings(classification(root), ('train',))
    assert 'counts as class 1, but has no file' in lines[0]
    assert "1 files in '" in lines[1] and 'b/0.webp' in lines[1]


def test_no_folders_and_no_pictures(tmp_path):
    (tmp_path / 'train').mkdir()
    assert 'no folders in' in errors(classification(tmp_path), ('train',))[0]


GOOD = 'a/0.jpg 0\nb/0.jpg 1\nc/0.jpg 2\n'


@pytest.mark.parametrize(
    'text, wanted',
    [
        (GOOD, ''),
        (GOOD.replace('2', '3').replace('1', '2').replace(' 0', ' 1'),
         'begin at 1'),
        (GOOD.replace('2', '7'), 'label 7'),
        (GOOD.replace('2', '-1'), 'label -1'),
        (GOOD.replace('2', 'cat'), 'line 3'),
        (GOOD + '\n', 'line 4'),
        (GOOD.replace('a/0', 'a/x'), '1 of 3 pictures'),
        ('\ufeff' + GOOD, 'byte order mark'),
        (GOOD.replace(' ', ','), 'line 1'),
    ],
)  # fmt: skip
def test_lines_of_lists(root, text, wanted):
    lines = of_list(root, text)
    assert (lines and wanted in lines[0]) if wanted else not lines, lines


def test_a_list_without_labels(root):
    text = 'a/0.jpg\nb/0.jpg\n'
    assert (
        'says that classes are learned'
        in of_list(root, text, with_label=False)[0]
    )
    cfg = classification(root, ann_file='list.txt', with_label=False)
    cfg.model.pop('head')
    cfg.model.pop('data_preprocessor')
    assert not errors(cfg, ('train',))
    assert 'has none (with_label=False)' in errors(cfg, ('val',))[0]


DATA = dict(
    metainfo=dict(classes=['a', 'b', 'c']),
    data_list=[
        dict(img_path='a/0.jpg', gt_label=[0, 2]),
        dict(img_path='b/0.jpg', gt_label=[1]),
    ],
)


@pytest.mark.parametrize(
    'edit, wanted',
    [
        (lambda d: None, ''),
        (lambda d: d['data_list'][1].update(gt_label=[3]), 'label 3'),
        (lambda d: d['data_list'][1].update(gt_label='x'), 'data_list[1]'),
        (lambda d: d['data_list'][1].update(img_path='no.jpg'), '1 of 2'),
        (lambda d: d['data_list'][1].pop('img_path'), 'has no img_path'),
        (lambda d: d.pop('metainfo'), 'wanted metainfo and data_list'),
    ],
)
def test_the_form_of_openmmlab(root, edit, wanted):
    content = json.loads(json.dumps(DATA))
    edit(content)
    (root / 'a.json').write_text(json.dumps(content))
    cfg = classification(
        root, type='MultiLabelDataset', ann_file='a.json',
        data_prefix=dict(img_path='train'),
    )  # fmt: skip
    lines = errors(cfg, ('train',))
    assert (lines and wanted in lines[0]) if wanted else not lines, lines
