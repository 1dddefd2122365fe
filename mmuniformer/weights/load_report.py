"""Loads the weight file of a whole model, or refuses it."""

import re
from typing import Any, cast

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import BaseLoop, CheckpointLoader, Runner
from torch import nn

from ..errors import UserError
from ..models import UniFormer
from ..registry import HOOKS
from . import download, files, labels, pretrained, transfer, variant

# Evaluation does not use the class-token branch of the light models, and a
# pose model emits one map of the four that its file has norms for.
UNUSED = re.compile(r'norm_cls\.|head_cls\.|norm[1-4]\.')


@HOOKS.register_module()
class LoadReportHook(Hook):
    """Fits a weight file to the model before mmengine takes it.

    mmengine loads what has the right name and warns about the rest. This hook
    reads and renames the authors' files, for every host. To start training,
    it gives image weights a time axis and leaves out heads for another number
    of classes; for testing and resuming everything must be there. It refuses
    files of another variant, and it notes head_dim in those that are saved.

    Args:
        ema: Take the averaged weights of the file, except to resume; those
            that mmengine saves they are in any case.
        raw: Take the raw weights of a file that has averaged ones, too,
            except to resume.
        inflate: How image weights get a time axis, see
            :func:`mmuniformer.weights.transfer.inflate`.
        class_order: 'alphabetical' if the annotations number the classes of
            Kinetics in that way: permutes the heads of the authors' files.
        allow_partial: Accept a file that lacks a part of the model or has
            more than it; or a regular expression of the names that the
            backbone may lack, e.g. 'blocks.*gamma_[12]'.
        check_variant: Refuse a published file of another variant, which
            shapes may not tell.
    """

    # Before EMAHook, which copies the weights.
    priority = 'VERY_HIGH'

    def __init__(
        self,
        ema: bool = False,
        raw: bool = False,
        inflate: str = 'average',
        class_order: str | None = None,
        allow_partial: bool | str = False,
        check_variant: bool = True,
    ) -> None:
        if class_order not in (None, 'alphabetical'):
            raise UserError(
                f"class_order={class_order!r}: wanted None or 'alphabetical'"
            )
        self.ema = ema
        self.raw = raw
        self.inflate = inflate
        self.class_order = class_order
        self.allow_partial = allow_partial
        self.check_variant = check_variant

    def before_run(self, runner: Runner) -> None:
        """Has mmengine read this run's file, and no other, as we do."""
        if runner._load_from and not runner._resume:
            CheckpointLoader.register_scheme(
                re.escape(str(runner._load_from)) + '$',
                load_from_mmuniformer,
                force=True,
            )

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Notes what shapes do not tell."""
        _, backbone = find_backbone(bare_model(runner.model))
        note = files.write_note(variant.note(backbone))
        checkpoint.setdefault('meta', {}).update(note)

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Fits ``checkpoint`` to the model in place.

        Raises:
            UserError: A shape differs, or too little of the model is in it.
        """
        model = bare_model(runner.model)
        prefix, backbone = find_backbone(model)
        own = files.shapes(model)
        path = str(runner._load_from or 'the last checkpoint')
        # A loop is built when training begins; before, it is a config.
        trains = isinstance(runner._train_loop, BaseLoop)
        starts = trains and not runner._resume
        notes = []
        with pretrained.named(path):
            if runner._resume:
                state = files.unwrap(checkpoint)
            else:
                state = files.unwrap(checkpoint, self.ema, self.raw)
                notes += ['raw weights, not averaged'] if self.raw else []
            note = files.read_note(checkpoint)
            if self.check_variant:
                variant.check(backbone, download.local_path(path), note)
            if self.class_order and labels.in_authors_order(state, note):
                state = labels.to_alphabetical(state)
                notes.append('classes in alphabetical order')
            state = transfer.to_model(state, own)
            if starts:
                raw, state = state, transfer.fit_channels(state, own)
                notes += transfer.fitted_channels(raw, state)
                flat, state = state, transfer.inflate(state, own, self.inflate)
                notes += transfer.inflated(flat, state, self.inflate)
                state, dropped = transfer.drop_other_classes(state, own)
                notes += [f'other classes: {layer}' for layer in dropped]
            match = files.compare(own, state)
            self.check(match, prefix, list(state), starts)
        checkpoint['state_dict'] = state
        whole = f'{type(model).__name__}, {pretrained.describe(backbone)}'
        strange = [
            name
            for name in map(transfer.common_name, match.missing)
            if transfer.BACKBONE.match(name)
            and not pretrained.NEW_IN_DENSE.fullmatch(name)
        ]
        if not starts:
            names = map(transfer.common_name, match.unexpected)
            strange += [name for name in names if not UNUSED.match(name)]
        pretrained.report(path, match, whole, notes, bool(strange))

    def check(
        self, match: files.Match, prefix: str, keys: list[str], starts: bool
    ) -> None:
        """Raises UserError unless a file fits the whole model.

        Args:
            match: The model compared with the file.
            prefix: Where the backbone is in the model.
            keys: Names of all tensors in the file.
            starts: Whether the heads may be new.
        """
        head = [n for n in match.mismatched if not n.startswith(prefix)]
        if head:
            raise UserError(
                f'{len(head)} tensors differ in shape, so it is of another '
                f'model or class count: {files.brief(head)}'
            )
        total = len(match.matched) + len(match.missing)
        if match.missing and not starts and self.allow_partial is not True:
            raise UserError(
                f'only {len(match.matched)} of {total} tensors of the model '
                f'are in it; missing: {files.brief(match.missing)}; the file '
                f'has: {files.brief(keys)}'
            )
        body = files.Match(
            *(
                [n.removeprefix(prefix) for n in names if n.startswith(prefix)]
                for names in match
            )
        )
        # All of them: not every file has the prefix.
        body = body._replace(unexpected=match.unexpected)
        pretrained.check_body(body, keys, self.allow_partial)


def load_from_mmuniformer(filename: str, map_location: Any) -> Any:
    """Reads a file for mmengine, which wants this form of name."""
    with pretrained.named(filename):
        return files.read(download.fetch(filename))


def bare_model(model: nn.Module) -> nn.Module:
    """The model out of what parallel training and TTA wrap around it."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = cast(nn.Module, model.module)
    return model


def find_backbone(model: nn.Module) -> tuple[str, nn.Module]:
    """The first UniFormer in a model, and the prefix of its names."""
    for name, module in model.named_modules():
        if isinstance(module, UniFormer):
            return f'{name}.' if name else '', module
    return 'backbone.', getattr(model, 'backbone', model)
