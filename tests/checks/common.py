"""Small data sets of each task, and configs that read them."""

import json

import cv2
import numpy as np
from mmengine.config import Config

from mmuniformer.checks import start
from mmuniformer.checks.findings import Findings

from .. import ROOT


def picture(path, width=48, height=32):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path


def whole(names=('cat', 'dog'), pictures=4, joints=0):
    """Content of a COCO file: two objects in each picture."""
    images, objects = [], []
    for i in range(1, pictures + 1):
        images.append(dict(id=i, file_name=f'{i}.png', width=48, height=32))
        for k in range(2):
            x, y, w, h = 4 + 20 * k, 5, 16, 20
            one = dict(
                id=2 * i + k,
                image_id=i,
                category_id=1 + k % len(names),
                bbox=[x, y, w, h],
                area=w * h,
                iscrowd=0,
                segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]],
            )
            if joints:
                one.update(
                    keypoints=[x + 1, y + 1, 2] * joints,
                    num_keypoints=joints,
                )
            objects.append(one)
    categories = [dict(id=i, name=n) for i, n in enumerate(names, 1)]
    return dict(
        info={}, images=images, annotations=objects, categories=categories
    )


def write_coco(root, edit=None, **options):
    """Files train.json and val.json, and their pictures."""
    for split in ('train', 'val'):
        content = whole(**options)
        for image in content['images']:
            picture(root / 'img' / image['file_name'])
        if edit:
            edit(content)
        (root / f'{split}.json').write_text(json.dumps(content))
    return root


def loader(dataset, **options):
    return dict(batch_size=2, num_workers=1, dataset=dataset, **options)


def config(recipe, **changes):
    """A recipe of the project with other loaders, evaluators and so on."""
    cfg = Config.fromfile(ROOT / 'configs' / recipe)
    for key, value in changes.items():
        if value is None:
            cfg.pop(key, None)
        else:
            cfg[key] = value
    return cfg


def detection(root, names=('cat', 'dog'), **dataset):
    cfg = config('det/mask_rcnn_uniformer_toy.py')
    cfg.model.roi_head.bbox_head.num_classes = len(names)
    cfg.model.roi_head.mask_head.num_classes = len(names)
    for split in ('train', 'val', 'test'):
        file = 'train.json' if split == 'train' else 'val.json'
        cfg[f'{split}_dataloader'].dataset.update(
            data_root=str(root), ann_file=file, metainfo=dict(classes=names),
            data_prefix=dict(img='img/'), **dataset,
        )  # fmt: skip
    cfg.val_evaluator.ann_file = str(root / 'val.json')
    cfg.test_evaluator = cfg.val_evaluator
    return cfg


def joints_info(joints):
    info = {
        i: dict(name=f'j{i}', id=i, color=[9, 9, 9], type='upper', swap='')
        for i in range(joints)
    }
    return dict(
        dataset_name='own', paper_info={}, keypoint_info=info,
        skeleton_info={}, joint_weights=[1.0] * joints,
        sigmas=[0.05] * joints,
    )  # fmt: skip


def pose(root, joints=5, **dataset):
    cfg = config('pose/topdown_uniformer_toy.py')
    cfg.model.head.out_channels = joints
    for split in ('train', 'val', 'test'):
        file = 'train.json' if split == 'train' else 'val.json'
        cfg[f'{split}_dataloader'].dataset.update(
            data_root=str(root), ann_file=file, data_prefix=dict(img='img/'),
            bbox_file=None, metainfo=joints_info(joints), **dataset,
        )  # fmt: skip
    cfg.val_evaluator.ann_file = str(root / 'val.json')
    cfg.test_evaluator = cfg.val_evaluator
    return cfg


def write_label_maps(root, values=(0, 1), pictures=3, size=(48, 32), **to):
    """Pictures and label maps of as many stripes as values."""
    for i in range(pictures):
        picture(root / f'img/{i}.jpg', *size)
        labels = np.zeros((size[1], size[0]), to.get('dtype', np.uint8))
        for k, value in enumerate(values):
            labels[:, k * size[0] // len(values) :] = value
        path = root / f'ann/{i}.png'
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), labels)
    return root


def segmentation(root, classes=2, **dataset):
    cfg = config('seg/fpn_uniformer_toy.py')
    cfg.model.decode_head.num_classes = classes
    names = [f'class {i}' for i in range(classes)]
    for split in ('train', 'val', 'test'):
        own = cfg[f'{split}_dataloader'].dataset
        own.update(
            type='BaseSegDataset',
            data_root=str(root),
            data_prefix=dict(img_path='img', seg_map_path='ann'),
            metainfo=dict(
                classes=names, palette=[[i, 0, 0] for i in range(classes)]
            ),
        )
        own.update(dataset)
    return cfg


def write_folders(root, names=('a', 'b', 'c'), ending='.jpg', files=2):
    for split in ('train', 'val'):
        for name in names:
            for i in range(files):
                picture(root / split / name / f'{i}{ending}')
    return root


def classification(root, classes=3, **dataset):
    cfg = config('cls/uniformer_toy.py')
    cfg.model.head.num_classes = classes
    cfg.model.data_preprocessor.num_classes = classes
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].batch_size = 2
        own = cfg[f'{split}_dataloader'].dataset
        own.update(data_root=str(root), **dataset)
    return cfg


def found_in(cfg, splits=('train', 'val')):
    """All findings of the checks at the start."""
    found = Findings()
    start.check_config(cfg, splits, found)
    start.check_files(cfg, splits, found)
    return list(found)


def errors(cfg, splits=('train', 'val')):
    """Lines of the errors that are found."""
    return [one.line() for one in found_in(cfg, splits) if one.error]


def warnings(cfg, splits=('train', 'val')):
    """Lines of the warnings that are found, but for schedules."""
    return [
        one.line()
        for one in found_in(cfg, splits)
        if not one.error and not one.kind.startswith('schedule')
    ]
