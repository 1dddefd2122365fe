"""The tasks, each with all that is to be known of it.

A new task is one more entry of ``TASKS``; docs/extend.md says what else it
needs. Functions and classes are named here, not imported: this module is read
by all rooms, and imports none.
"""

from pkgutil import resolve_name
from typing import Any, NamedTuple


class Task(NamedTuple):
    """What a task stands on, and who does its work.

    Attributes:
        host: Module of the host library, and the scope of its registries.
        package: The host's name for pip.
        project: The host's name in ``tools/convert_checkpoint.py --to``.
        needs: Other distributions that the host cannot do without.
        install: Arguments of ``pip install`` that bring all of it.
        heads: The authors' names of the tensors of heads, up to a dot, and
            the host's; {} where they are the same.
        builder: Function that builds the head without the host, see
            :mod:`mmuniformer.zoo.create`; '' where there is none.
        predictor: Class of :mod:`mmuniformer.prediction`.
        inferencer: The host's own class for the same.
        judge: Function that looks at dumped results of a test, see
            :func:`mmuniformer.analysis.evaluation.evaluate`.
        result: Key of the samples that ``judge`` reads.
        shape: (H, W) at which the authors counted FLOPs.
        scores: Name, data set and metrics (the key in ``published.tsv``, the
            name) in the index of models; the data set is '' where the name
            of a config tells it.
    """

    host: str
    package: str
    project: str
    needs: tuple[str, ...]
    install: str
    heads: dict[str, str]
    builder: str
    predictor: str
    inferencer: str
    judge: str
    result: str
    shape: tuple[int, int]
    scores: tuple[tuple[str, str, dict[str, str]], ...]


TOP1 = {'top1': 'Top 1 Accuracy'}
TASKS = {
    'cls': Task(
        host='mmpretrain',
        package='mmpretrain',
        project='mmpretrain',
        needs=(),
        install="'mmuniformer[cls]'",
        # The heads for class token and token labeling are ours, so are
        # their names.
        heads={
            'head.': 'head.fc.',
            'head_cls.': 'head.fc_cls.',
            'aux_head.': 'head.aux_fc.',
        },
        builder='mmuniformer.zoo.create:classifier',
        predictor='mmuniformer.prediction.tasks:Classification',
        inferencer='mmpretrain:ImageClassificationInferencer',
        judge='mmuniformer.analysis.evaluation:look_at_classes',
        result='pred_score',
        shape=(224, 224),
        scores=(('Image Classification', 'ImageNet-1K', TOP1),),
    ),
    'det': Task(
        host='mmdet',
        package='mmdet',
        project='mmdet',
        needs=('pycocotools',),
        install="'mmuniformer[det]'",
        heads={},
        builder='',
        predictor='mmuniformer.prediction.tasks:Detection',
        inferencer='mmdet.apis:DetInferencer',
        judge='mmuniformer.analysis.box_errors:look_at_boxes',
        result='pred_instances',
        shape=(800, 1280),
        scores=(
            ('Object Detection', 'COCO', {'box_AP': 'box AP'}),
            ('Instance Segmentation', 'COCO', {'mask_AP': 'mask AP'}),
        ),
    ),
    'seg': Task(
        host='mmseg',
        package='mmsegmentation',
        project='mmseg',
        needs=('ftfy', 'regex'),
        install="'mmuniformer[seg]'",
        heads={},
        builder='mmuniformer.zoo.create:segmentor',
        predictor='mmuniformer.prediction.tasks:Segmentation',
        inferencer='mmseg.apis:MMSegInferencer',
        judge='mmuniformer.analysis.evaluation:look_at_regions',
        result='pred_sem_seg',
        shape=(512, 2048),
        scores=(
            (
                'Semantic Segmentation',
                'ADE20K',
                {'mIoU': 'mIoU', 'ms_mIoU': 'mIoU (ms+flip)'},
            ),
        ),
    ),
    'pose': Task(
        host='mmpose',
        package='mmpose',
        project='mmpose',
        needs=('json_tricks', 'munkres', 'pycocotools', 'scipy', 'six'),
        # mmpose itself where the extra leaves it out, from Python 3.12 on.
        install="'mmuniformer[pose]' && pip install --no-deps mmpose",
        heads={
            f'keypoint_head.{part}.': f'head.{part}.'
            for part in ('deconv_layers', 'conv_layers', 'final_layer')
        },
        builder='',
        predictor='mmuniformer.prediction.tasks:Pose',
        inferencer='mmpose.apis.inferencers:Pose2DInferencer',
        judge='mmuniformer.analysis.evaluation:look_at_joints',
        result='pred_instances',
        shape=(224, 224),
        scores=(('Body 2D Keypoint', 'COCO', {'AP': 'AP', 'AR': 'AR'}),),
    ),
    'video': Task(
        host='mmaction',
        package='mmaction2',
        project='mmaction2',
        needs=('einops', 'importlib_metadata', 'scipy'),
        install="'mmuniformer[video]'",
        heads={
            'head.': 'cls_head.fc_cls.',
            'head_cls.': 'cls_head.fc_token.',
        },
        builder='mmuniformer.zoo.create:classifier',
        predictor='mmuniformer.prediction.clips:Recognition',
        inferencer='mmaction.apis.inferencers:ActionRecogInferencer',
        judge='mmuniformer.analysis.evaluation:look_at_classes',
        result='pred_score',
        shape=(224, 224),
        scores=(('Action Recognition', '', TOP1),),
    ),
}
HOSTS = {task.host: task for task in TASKS.values()}


def resolve(name: str) -> Any:
    """The class or function that a task names."""
    return resolve_name(name)


def find_scope(cfg: Any) -> None:
    """Gives a config of classes, which needs no scope, that of its model.

    Tools look things up by name beside it.

    Args:
        cfg: Whole config; changed in place.
    """
    kind = (cfg.get('model') or {}).get('type')
    bases = getattr(kind, '__mro__', ())
    packages = (base.__module__.partition('.')[0] for base in bases)
    found = [name for name in packages if name in HOSTS]
    if found and not cfg.get('default_scope'):
        cfg.default_scope = found[0]
