"""The one procedure that takes weights from a file into a model.

It serves a bare backbone (``init_cfg``), a whole model under a Runner
(:mod:`.load_report`) and whatever calls mmengine's loader (:mod:`.doors`), so
that a file has the same verdict and the same line in the log everywhere. A
path goes down through four files: this one, :mod:`.download`, :mod:`.files`
and :mod:`.reading`; what was read is fitted by :mod:`.transfer` and judged by
:mod:`.verdict`.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, initialize, is_model_wrapper
from torch import Tensor, nn

from . import (
    download,
    files,
    labels,
    published,
    transfer,
    variant,
    verdict,
)
from .options import Options, checked, pretrained_cfg

# Final norms and classifiers: a file of a classifier has them, a backbone of
# another task leaves them out, and nobody needs to be warned of that.
EXPECTED = re.compile(f'({transfer.NORMS.pattern})|(aux_)?head(_cls)?\\.')
# Evaluation does not use the class-token branch of the light models, and a
# pose model emits one map of the four that its file has norms for.
UNUSED = re.compile(r'norm_cls\.|head_cls\.|norm[1-4]\.')


def initialise(backbone: nn.Module, init_cfg: Any) -> None:
    """Applies the ``init_cfg`` of a backbone.

    Args:
        backbone: The backbone.
        init_cfg: Its ``init_cfg``. The Pretrained entry is ours, with the
            fields of :class:`Options`; the others go to mmengine, first.
    """
    source, others = pretrained_cfg(init_cfg)
    if others:
        initialize(backbone, others)
    if source:
        load(backbone, **source)


def load(
    model: nn.Module, checkpoint: str, starts: bool = True, **options: Any
) -> files.Match:
    """Loads a weight file into a model.

    Args:
        model: A backbone, or a model that has one.
        checkpoint: Path or URL of any file that
            :func:`mmuniformer.weights.files.read` knows.
        starts: Whether training starts from it: then heads may be new, and
            image weights get a time axis. Else all must be there.
        options: Fields of :class:`Options`.

    Returns:
        The model's tensors compared with those of the file.

    Raises:
        UserError: The file is missing or damaged, is of another variant, a
            shape differs, or too few of the model's tensors are in it.
    """
    content = read(checkpoint)
    return load_content(model, content, checkpoint, starts, **options)


def load_content(
    model: nn.Module,
    content: Any,
    checkpoint: str,
    starts: bool = True,
    **options: Any,
) -> files.Match:
    """As :func:`load`, from what was in the file ``checkpoint``."""
    model = bare_model(model)
    wanted = checked(**options)
    state, match = fit(model, content, checkpoint, starts, wanted)
    put(model, state)
    return match


def read(checkpoint: str) -> Any:
    """The content of a file or URL, with its name before all errors."""
    with files.named(checkpoint):
        return files.read(download.fetch(checkpoint))


def put(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Copies those of the fitted tensors that a model has."""
    own = model.state_dict()
    kept = {name: state[name] for name in own if name in state}
    model.load_state_dict(kept, strict=False)


def fit(
    model: nn.Module,
    content: Any,
    checkpoint: str,
    starts: bool,
    options: Options,
) -> tuple[transfer.State, files.Match]:
    """Fits what was read to a model, or refuses it, and says so in one line.

    Args:
        model: A backbone, or a model that has one; it is not changed.
        content: What a file holds, in any wrapper.
        checkpoint: The file's path or URL.
        starts: As of :func:`load`.
        options: What to take, and what may differ.

    Returns:
        Tensors by the model's names, and the model compared with them.

    Raises:
        UserError: It does not fit.
    """
    model = bare_model(model)
    prefix, backbone = find_backbone(model)
    tensors = model.state_dict()
    own = {name: value.shape for name, value in tensors.items()}
    # Counters, and buffers that are not finite in the model either.
    loose = [
        name
        for name, v in tensors.items()
        if not v.is_floating_point() or not (v.is_meta or v.isfinite().all())
    ]
    with files.named(checkpoint):
        state = files.unwrap(content, options.ema, options.raw)
        note = files.read_note(content)
        path = download.local_path(checkpoint)
        release = published.find(path)
        # Files that were converted here say of themselves what they are.
        changed = release.differences(path) if release and not note else []
        release = release or published.table().get(str(note.get('published')))
        if options.check_variant:
            variant.check(backbone, release, note)
        notes = ['raw weights, not averaged'] if options.raw else []
        if options.prefix is not None:
            state = files.strip_prefix(state, options.prefix)
        whole = any(name.startswith('backbone.') for name in state)
        keys = list(state)
        state, said = labels.arrange(
            state, own, note, release, options.class_order
        )
        state = transfer.to_model(state, own)
        if starts:
            flat, state = state, transfer.fit_channels(state, own)
            notes += transfer.fitted_channels(flat, state)
            flat, state = state, transfer.inflate(state, own, options.inflate)
            notes += transfer.inflated(flat, state, options.inflate)
            state, dropped = transfer.drop_other_classes(state, own)
            notes += [f'other classes: {layer}' for layer in dropped]
        match = files.compare(own, state)
        verdict.check(match, prefix, keys, starts, options.allow_partial)
        matched = {name: state[name] for name in match.matched}
        files.check_tensors(matched, loose)
    lost = [n for n in match.missing if n.startswith(prefix)]
    lost = [n for n in map(transfer.common_name, lost) if verdict.is_body(n)]
    if lost:
        notes += [f'{len(lost)} tensors of the backbone STAY RANDOM']
    extra = map(transfer.common_name, match.unexpected)
    usual = EXPECTED if starts else UNUSED
    strange = [n for n in extra if not usual.match(n)]
    if starts and whole:  # other parts of another model
        strange = []
    notes += [*said, *changed]
    warn = bool(lost or strange or changed)
    report(checkpoint, match, model, notes, warn)
    return state, match


def report(
    checkpoint: str,
    match: files.Match,
    model: nn.Module,
    notes: list[str],
    warn: bool = False,
) -> None:
    """Logs in one line what was loaded.

    Args:
        checkpoint: The file.
        match: The model compared with the file.
        model: The model.
        notes: What else to say.
        warn: Whether somebody should look at the line.
    """
    total = len(match.matched) + len(match.missing)
    line = [
        f'{Path(checkpoint).name}: loaded {len(match.matched)} of {total} '
        f'tensors of {describe(model)}',
        f'new: {files.brief(match.missing)}',
        f'left out: {files.brief(match.unexpected)}',
        *notes,
    ]
    level = logging.WARNING if warn else logging.INFO
    print_log('; '.join(line), logger='current', level=level)


def describe(model: nn.Module) -> str:
    """A model in a few words, ``head_dim`` of its backbone included."""
    backbone = find_backbone(model)[1]
    head_dim = getattr(getattr(backbone, 'arch', None), 'head_dim', None)
    words = [type(model).__name__] if model is not backbone else []
    name = type(backbone).__name__
    words.append(f'{name} (head_dim {head_dim})' if head_dim else name)
    return ', '.join(words)


def bare_model(model: nn.Module) -> nn.Module:
    """The model out of what parallel training and TTA wrap around it."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = cast(nn.Module, model.module)
    return model


def is_uniformer(module: nn.Module) -> bool:
    """Whether a module is a backbone of this package.

    Its class says so by its table of released sizes, ``archs``.
    """
    return isinstance(getattr(type(module), 'archs', None), dict)


def has_uniformer(model: nn.Module) -> bool:
    """Whether a backbone of this package is in a model."""
    return any(map(is_uniformer, model.modules()))


def find_backbone(model: nn.Module) -> tuple[str, nn.Module]:
    """The first UniFormer in a model, and the prefix of its names."""
    for name, module in model.named_modules():
        if is_uniformer(module):
            return f'{name}.' if name else '', module
    return 'backbone.', getattr(model, 'backbone', model)
