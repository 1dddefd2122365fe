"""Where people are: files of boxes, detectors, whole pictures."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from mmuniformer.errors import UserError
from mmuniformer.prediction import boxes, predict
from mmuniformer.prediction.drawing import Drawer

if not (find_spec('mmpose') and find_spec('mmdet')):
    pytest.skip('needs mmpose and mmdet', allow_module_level=True)

BOX = [10.0, 20.0, 40.0, 60.0]
COCO_BOX = [10.0, 20.0, 30.0, 40.0]
OBJECTS = [
    dict(name='person', box=BOX, score=0.5),
    dict(name='kite', box=BOX, score=0.9),
]
LINE = dict(source='b/a/7.jpg', objects=OBJECTS)
FILES = {
    'json lines': (json.dumps(LINE) + '\n') * 2,
    'one line': json.dumps(LINE),
    'a dict': json.dumps({'7.jpg': [[*BOX, 0.5]]}),
    'detections': json.dumps(
        [
            dict(image_id=7, category_id=1, bbox=COCO_BOX, score=0.5),
            dict(image_id=7, category_id=2, bbox=COCO_BOX, score=0.5),
        ]
    ),
    'an end of the path': json.dumps({'b/a/7.jpg': [[*BOX, 0.5]]}),
    'annotations': json.dumps(
        dict(
            images=[dict(id=1, file_name='7.jpg')],
            annotations=[dict(image_id=1, category_id=1, bbox=COCO_BOX)],
        )
    ),
}


@pytest.mark.parametrize('kind', FILES)
def test_files_of_boxes(tmp_path, kind):
    file = tmp_path / 'boxes'
    file.write_text(FILES[kind])
    found = boxes.find(boxes.read(str(file)), 'c/b/a/7.jpg')
    assert found[0, :4].tolist() == BOX
    assert found.shape[1] == 5


@pytest.mark.parametrize(
    'text', ['', '[1]', '{"a.jpg": [[1, 2]]}', 'no json', '3']
)
def test_files_that_hold_no_boxes(tmp_path, text):
    file = tmp_path / 'boxes'
    file.write_text(text)
    with pytest.raises(UserError, match='boxes='):
        boxes.read(str(file))


@pytest.fixture(scope='module')
def photo(toy_data):
    return str(sorted(toy_data.glob('coco/val2017/*.jpg'))[0])


def test_the_whole_picture_is_a_person(predictor, photo):
    (found,) = predictor('pose', whole_image=True)(photo)
    (person,) = found.record['people']
    assert len(person['keypoints']) == 17
    assert found.record['keypoint_names'][0] == 'nose'


def test_key_points_are_larger_on_a_large_picture(predictor):
    made = predictor('pose', whole_image=True)
    drawer = Drawer(made)
    (found,) = made(np.zeros((480, 640, 3), np.uint8))
    drawer.draw(found)
    assert drawer.visualizer.radius == 2 * 3


def test_a_picture_without_people_and_one_without_boxes(
    predictor, photo, tmp_path
):
    file = tmp_path / 'boxes.json'
    file.write_text(json.dumps({photo: []}))
    other = str(tmp_path / 'other.jpg')
    (tmp_path / 'other.jpg').write_bytes(open(photo, 'rb').read())
    made = predictor('pose', boxes=str(file))
    records = predict(made, [photo, other], out=str(tmp_path / 'out'))
    assert records[0]['people'] == []
    assert records[1]['error'] == 'the file of boxes has none for it'


def test_a_detector_finds_the_people(work_dir, predictor, photo, tmp_path):
    detector = predictor('det')
    (seen,) = detector(photo)
    name = seen.record['objects'][0]['name']
    label = detector.task.names.index(name)
    detector.task.names[0], detector.task.names[label] = name, 'person'
    try:
        made = predictor('pose', whole_image=True)
        made.detector, made.box_score = detector, 0.0
        (record,) = predict(made, photo, out=str(tmp_path))
    finally:
        made.detector = None
        detector.task.names[0], detector.task.names[label] = 'person', name
    wanted = [
        np.float32(thing['box']).tolist()
        for thing in seen.record['objects']
        if thing['label'] == label
    ]
    assert [person['box'] for person in record['people']] == wanted
