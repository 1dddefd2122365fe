"""Pictures of predictions: of clips, of people, of segmentations."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmengine.visualization import Visualizer


def rng():
    return np.random.default_rng(0)


@pytest.fixture
def visualizer():
    """mmengine's, which hooks find as the current one."""
    return Visualizer.get_instance('visualizer')


class Clips:
    """A data set of clips that are red, and whose names are classes."""

    metainfo = dict(classes=['up', 'down', 'left'])

    def __init__(self, transforms=()):
        self.pipeline = SimpleNamespace(transforms=transforms)

    def get_data_info(self, index):
        return dict(filename=f'videos/{"abc"[index]}.mp4')


def draw_clips(folder, dataset, blue_first=False):
    """Two views of four frames for each of two clips, of three samples."""
    pytest.importorskip('mmaction')
    from mmaction.structures import ActionDataSample

    from mmuniformer.hosts.mmaction.pictures import ClipVisualizationHook

    inputs = torch.zeros(2, 2, 3, 4, 32, 40)
    inputs[:, :, 2 if blue_first else 0] = 250.4
    samples = [
        ActionDataSample()
        .set_pred_score(torch.tensor([0.1, 0.7, 0.2]))
        .set_gt_label(label)
        for label in (2, 1)
    ]
    hook = ClipVisualizationHook(enable=True, interval=1, out_dir=str(folder))
    loader = SimpleNamespace(dataset=dataset, batch_size=2, sampler=[0, 2])
    runner = SimpleNamespace(test_dataloader=loader)
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0, dict(inputs=inputs), samples)
    return samples


def test_clips_are_named_by_number_and_file(tmp_path, visualizer):
    draw_clips(tmp_path, Clips())
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ['000000_a.jpg', '000002_c.jpg']


def test_frames_of_a_clip_stand_side_by_side(tmp_path, visualizer):
    draw_clips(tmp_path, Clips())
    image = cv2.imread(str(tmp_path / '000000_a.jpg'))
    assert image.shape == (28 + 32, 384, 3)
    assert image[:28].max() > 200  # the text
    blue, green, red = image[32:-2, 4:156].reshape(-1, 3).mean(0)
    assert red > 245 and max(blue, green) < 8
    assert image[32:-2, 170:].max() < 30


def test_clips_that_a_recipe_reads_blue_first_are_red_too(
    tmp_path, visualizer
):
    pytest.importorskip('mmaction')
    from mmuniformer.hosts.mmaction.clips import ReverseChannels

    draw_clips(tmp_path, Clips([ReverseChannels()]), blue_first=True)
    image = cv2.imread(str(tmp_path / '000000_a.jpg'))
    assert image[40, 60, 2] > 245 > 8 > image[40, 60, 0]


def test_text_of_a_clip(tmp_path, visualizer):
    samples = draw_clips(tmp_path, Clips())
    from mmuniformer.hosts.mmaction.pictures import caption

    text = caption(samples[0], Clips.metainfo['classes'])
    assert text == 'predicted 1 down, 0.70; annotated 2 left'
    assert caption(samples[1], None) == 'predicted 1, 0.70; annotated 1'


def test_people_of_an_image_are_in_one_picture(tmp_path, monkeypatch):
    """Of three boxes in two batches one is too unsure."""
    pytest.importorskip('mmpose')
    from mmpose.structures import PoseDataSample

    from mmuniformer.hosts.mmpose import pictures

    drawn = {}
    stand_in = SimpleNamespace(
        set_dataset_meta=lambda meta: None,
        add_datasample=lambda name, image, data_sample, **kw: drawn.update(
            {kw['out_file']: data_sample.pred_instances}
        ),
    )
    monkeypatch.setattr(
        pictures.PoseVisualizationHook,
        '__init__',
        lambda self, **kw: self.__dict__.update(
            kw, _visualizer=stand_in, backend_args=None, _test_index=0
        ),
    )
    monkeypatch.setattr(pictures, 'draw_in_all_processes', lambda v: None)
    path = str(tmp_path / 'people.jpg')
    cv2.imwrite(path, np.zeros((40, 60, 3), np.uint8))

    def sample(score):
        found = PoseDataSample(metainfo=dict(img_path=path))
        found.pred_instances = InstanceData(
            keypoints=np.zeros((1, 17, 2)),
            keypoint_scores=np.ones((1, 17)),
            bboxes=np.zeros((1, 4)),
            bbox_scores=np.array([score]),
        )
        return found

    hook = pictures.PeopleVisualizationHook(
        enable=True, out_dir=str(tmp_path / 'out'), kpt_thr=0.3, show=False,
        wait_time=0,
    )  # fmt: skip
    runner = SimpleNamespace(
        work_dir='w',
        timestamp='t',
        test_evaluator=SimpleNamespace(dataset_meta={}),
    )
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0, {}, [sample(0.9), sample(0.1)])
    hook.after_test_iter(runner, 1, {}, [sample(0.5)])
    hook.after_test_epoch(runner)
    assert list(drawn) == [str(tmp_path / 'out/people.jpg')]
    scores = [people.bbox_scores.tolist() for people in drawn.values()]
    assert scores == [[0.9, 0.5]]


def test_images_of_one_name_get_two_pictures():
    pytest.importorskip('mmpose')
    from mmuniformer.hosts.mmpose.pictures import out_names

    names = out_names(['a/1/x.jpg', 'a/2/x.jpg', 'a/2/y.jpg'])
    assert list(names.values()) == ['1_x.jpg', '2_x.jpg', 'y.jpg']


@pytest.fixture
def segmentations():
    pytest.importorskip('mmseg')
    from mmuniformer.hosts.mmseg.pictures import SegVisualizer

    return SegVisualizer(dataset_name='ade20k')


def test_labels_of_classes_stand_where_mmseg_puts_them(segmentations):
    from mmseg.visualization import SegLocalVisualizer

    for density in (0.02, 0.3, 1):
        mask = np.uint8(rng().random((37, 53)) < density)
        wanted = SegLocalVisualizer._get_center_loc(segmentations, mask)
        assert (segmentations._get_center_loc(mask) == wanted).all()


def test_images_whose_channels_were_turned_can_be_drawn_on(segmentations):
    """As ``browse_dataset.py`` of mmseg turns them."""
    image = np.zeros((3, 40, 60), np.uint8).transpose(1, 2, 0)[..., [2, 1, 0]]
    assert not image.flags.c_contiguous
    labels = PixelData(data=torch.ones(1, 40, 60, dtype=torch.int64))
    drawn = segmentations._draw_sem_seg(
        image, labels, ['sky', 'sea'], [[9, 9, 9], [0, 200, 0]]
    )
    assert drawn[30, 50].tolist() == [0, 160, 0]
