"""Which pictures and label maps of segmentation there are."""

import inspect
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATASETS

from . import inputs, models
from .datasets import Source, metainfo, type_name
from .findings import Findings, debug
from .label_values import Labels, check_seen, read_map
from .pictures import ENDINGS, brief, error_text, read_header, spread
from .samples import Data, Task

# Label maps that are opened at the start of a run; and, before it is said
# that a class never occurs, how many more.
FIRST_MAPS = 16
MORE_MAPS = 500


def labels_of(source: Source, cfg: Config) -> Labels | None:
    """How a data set is read, or None if its labels are not."""
    steps = [
        step
        for step in source.steps()
        if type_name(step) == 'LoadAnnotations'
        and step.get('imdecode_backend', 'pillow') in ('pillow', 'cv2')
    ]
    if not steps or not isinstance(cfg.get('model'), dict):
        return None
    heads = [
        part
        for _, key, part in models.parts(cfg.model)
        if key == 'decode_head' and isinstance(part.get('num_classes'), int)
    ]
    if not heads:
        return None
    names = metainfo(source).get('classes') or ()
    own = getattr(source.kind, 'METAINFO', {}).get('classes')
    table = None
    if names and own and list(names) != list(own):
        table = {
            i: list(names).index(c) if c in names else 255
            for i, c in enumerate(own)
        }
    return Labels(
        heads[-1]['num_classes'],
        names,
        heads[-1].get('ignore_index', 255),
        reduces_zero(source),
        table,
        source.turns(),
        steps[-1].get('imdecode_backend', 'pillow'),
    )


def reduces_zero(source: Source) -> bool:
    """Whether a data set ignores label 0; that of a class may be its own."""
    if 'reduce_zero_label' in source.cfg:
        return bool(source.cfg['reduce_zero_label'])
    for kind in getattr(source.kind, '__mro__', ()):
        if '__init__' in vars(kind):
            signature = inspect.signature(kind.__init__).parameters
            if 'reduce_zero_label' in signature:
                return bool(signature['reduce_zero_label'].default)
    return False


def check(source: Source, cfg: Config, found: Findings, full: bool) -> Data:
    """Checks that each picture has a label map, and opens some of them.

    Args:
        source: A data set of mmseg.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all files will be opened afterwards.
    """
    folder = source.prefix('img_path')
    maps = source.prefix('seg_map_path')
    if not folder or not os.path.isdir(folder):
        return Data()
    with DATASETS.switch_scope_and_registry(source.scope) as registry:
        built = registry.build(dict(source.cfg, pipeline=[], lazy_init=True))
    no_files = _no_files(folder, found)
    try:
        pairs = built.load_data_list()
    except OSError as error:
        found.error(
            'no list of pictures',
            f'{folder!r} cannot be listed ({error_text(error)})',
        )
        return Data()
    suffix = built.img_suffix
    _check_endings(folder, suffix, source, found, bool(pairs))
    labels = labels_of(source, cfg)
    _check_zero(source, found)
    has_maps = labels and maps and pairs and 'seg_map_path' in pairs[0]
    if not has_maps or not pairs:
        tasks = [Task('picture', p['img_path']) for p in pairs]
        return Data(len(pairs), tasks=tasks if full else ())
    assert labels is not None and maps is not None
    present = {
        os.path.normpath(os.path.join(base, name))
        for base, names in _walk(maps)
        for name in names
    }
    wanted = [os.path.normpath(pair['seg_map_path']) for pair in pairs]
    missing = [path for path in wanted if path not in present]
    found.each(
        'no label map',
        missing,
        'the label map {} does not exist',
        f'{len(missing)} of {len(wanted)} pictures have no label map; '
        f'missing: {brief(missing)}'
        f'{_like(missing[0], present) if missing else ""}',
    )
    left = {
        f'{maps}{path[len(folder) : -len(suffix)]}{built.seg_map_suffix}'
        for path in no_files
    }
    _check_unused(present - set(wanted) - left, built, found)
    good = [
        (pair['img_path'], path)
        for pair, path in zip(pairs, wanted)
        if path in present
    ]
    if source.split != 'train':  # training pads
        pictures = [image for image, _ in good]
        inputs.check_sizes(source, cfg, pictures, found)
    if not full:
        _sample(good, labels, found)
    tasks = [Task('labels', path, (image, labels)) for image, path in good]
    return Data(len(pairs), labels.names, tasks=tasks if full else ())


def _walk(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Folders and their files, without hidden ones."""
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith('.')]
        yield base, [name for name in names if not name.startswith('.')]


def _no_files(folder: str, found: Findings) -> set[str]:
    """Pipes and links to nothing, which mmengine leaves out or stops at."""
    paths = {
        os.path.join(base, name)
        for base, names in _walk(folder)
        for name in names
    }
    strange = {path for path in paths if not os.path.isfile(path)}
    for path in sorted(strange):
        link = ', but a link to nothing' if os.path.islink(path) else ''
        found.error('no file', f'{path!r} is no file{link}')
    return strange


def _check_zero(source: Source, found: Findings) -> None:
    """Checks that data set and pipeline agree on label 0."""
    own = reduces_zero(source)
    for step in source.steps():
        said = step.get('reduce_zero_label')
        if type_name(step) == 'LoadAnnotations' and said not in (None, own):
            found.error(
                'reduce_zero_label',
                f'LoadAnnotations of the pipeline has '
                f'reduce_zero_label={said}, but {source.name} has {own}; set '
                f'it in the dataset alone',
            )


def _check_endings(
    folder: str, suffix: str, source: Source, found: Findings, any_pair: bool
) -> None:
    """Says which pictures are left out for their ending."""
    others: list[str] = []
    for _, names in _walk(folder):
        others += [
            name
            for name in names
            if not name.endswith(suffix) and name.lower().endswith(ENDINGS)
        ]
    # A label map or another kind may lie beside the pictures.
    mixed = folder == source.prefix('seg_map_path')
    if not any_pair:
        has = ''
        if others:
            has = f'; it has {others[0]!r}, see img_suffix of the dataset'
        found.error('no pictures', f'no picture *{suffix} in {folder!r}{has}')
    elif others and not mixed and not source.cfg.get('ann_file'):
        found.each(
            'left out for the ending',
            others,
            f'{{}} is left out for its ending; wanted *{suffix} (img_suffix)',
            f'{len(others)} pictures in {folder!r}, such as {others[0]!r}, '
            f'are left out for their ending; wanted *{suffix} (img_suffix)',
            error=False,
        )


def _check_unused(unused: set[str], built: Any, found: Findings) -> None:
    """Says which label maps have no picture."""
    maps = [p for p in sorted(unused) if p.endswith(built.seg_map_suffix)]
    if not built.ann_file:
        found.each(
            'no picture',
            maps,
            f'label map {{}} has no picture *{built.img_suffix}',
            f'{len(maps)} label maps have no picture *{built.img_suffix}, '
            f'such as {maps[:1]}; they are left out',
            error=False,
        )


def _like(path: str, present: set[str]) -> str:
    """A file that differs in its ending alone."""
    stem = os.path.splitext(path)[0]
    for other in present:
        if os.path.splitext(other)[0] == stem:
            return f'; but there is {other!r}, see seg_map_suffix'
    return ''


def _sample(
    pairs: list[tuple[str, str]], labels: Labels, found: Findings
) -> None:
    """Opens some label maps; more, if a class seems to lack in all."""
    pixels: Counter[int] = Counter()
    looked = spread(pairs, FIRST_MAPS)
    for image, path in looked:
        pixels += check_pair(path, image, labels, found)
    more = spread(pairs, MORE_MAPS) if labels.doubtful(pixels) else ()
    for _, path in more:
        pixels += read_map(path, labels, Findings())
        if not labels.doubtful(pixels):
            break
    check_seen(pixels, labels, looked[0][1] if looked else '', found)


def check_pair(
    path: str, image: str, labels: Labels, found: Findings
) -> Counter[int]:
    """Checks a label map and its size; returns its pixels by value."""
    pixels = read_map(path, labels, found)
    if pixels:
        _check_size(path, image, labels.turns, found)
    return pixels


def _check_size(path: str, image: str, turns: bool, found: Findings) -> None:
    """Checks that a label map is as large as its picture."""
    try:
        size = read_header(path, turns=False)[0]
        own, turned, _ = read_header(image, turns)
    except OSError as error:
        if image.lower().endswith(ENDINGS):
            found.error(
                'broken picture',
                f'{image!r} cannot be read: {error_text(error)}',
            )
        else:
            debug(f'{image!r}: of a kind that Pillow does not know')
        return
    if own != size:
        why = ' (its EXIF tag turns it)' if turned else ''
        found.error(
            'size of label maps',
            f'label map {path!r} is {size[0]} x {size[1]}, but its picture '
            f'{image!r} is {own[0]} x {own[1]}{why}; wanted the same',
        )
