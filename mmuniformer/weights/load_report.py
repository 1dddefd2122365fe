"""The Runner's weights: the one procedure of :mod:`.load`, as a hook."""

import re
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, CheckpointLoader, Runner

from ..errors import UserError
from ..registry import HOOKS
from . import doors, files, labels, load, variant

LOOPS = ('_test_loop', '_val_loop', '_train_loop')


@HOOKS.register_module()
class LoadReportHook(Hook):
    """Fits a weight file to the model before mmengine takes it.

    mmengine loads what has the right name and warns about the rest. This hook
    hands each file to :func:`mmuniformer.weights.load.fit`: to start training
    heads may be new; for testing and resuming everything must be there. What
    resuming would run as code is taken out. The hook notes ``head_dim`` and
    the order of classes in the files that the Runner saves.

    Args:
        ema: Take the averaged weights of a file that has two sets. Files of
            mmengine need no ``ema``: their ``state_dict`` is the average. A
            run that resumes goes on with both sets.
        raw: Take the raw weights of a file that has two sets; not of a run
            that resumes.
        class_order: In which order the annotations number the classes of
            Kinetics, 'authors' or 'alphabetical': the head gets it. By
            default the data set says so; asking both for an order is an
            error.
        options: Other fields of :class:`mmuniformer.weights.load.Options`.
    """

    # Before EMAHook, which copies the weights.
    priority = 'VERY_HIGH'

    def __init__(
        self,
        ema: bool = False,
        raw: bool = False,
        class_order: str | None = None,
        **options: Any,
    ) -> None:
        load.checked(ema=ema, raw=raw, class_order=class_order)
        self.ema = ema
        self.raw = raw
        self.class_order = class_order
        self.options = load.checked(**options)

    def before_run(self, runner: Runner) -> None:
        """Makes mmengine read the file of ``load_from`` by our reader.

        Other files keep the readers of mmengine.
        """
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
        model = load.bare_model(runner.model)
        note = variant.note(load.find_backbone(model)[1])
        order = self.label_order(runner)
        classes = labels.number_of_classes(model.state_dict())
        if order and classes in labels.LISTS:
            note['class_order'] = order
        checkpoint.setdefault('meta', {}).update(files.write_note(note))

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Fits ``checkpoint`` to the model in place.

        Raises:
            UserError: It does not fit, or an order of classes is asked for
                twice.
        """
        # A loop is built when training begins; before, it is a config.
        trains = isinstance(runner._train_loop, BaseLoop)
        options = self.options
        if not runner._resume:
            order = self.label_order(runner)
            options = options._replace(
                ema=self.ema, raw=self.raw, class_order=order
            )
        path = doors.source(checkpoint) or str(runner._load_from)
        starts = trains and not runner._resume
        state = load.fit(runner.model, checkpoint, path, starts, options)[0]
        checkpoint['state_dict'] = doors.mark(state)
        # Runner.resume would evaluate it.
        meta = checkpoint.get('meta')
        if isinstance(meta, dict):
            meta.pop('config', None)

    def label_order(self, runner: Runner) -> str | None:
        """The order that labels of Kinetics have when the model sees them.

        Raises:
            UserError: The data set translates them, and the hook is told of
                another order.
        """
        order = None
        for name in LOOPS:
            loader = getattr(getattr(runner, name, None), 'dataloader', None)
            dataset: Any = getattr(loader, 'dataset', None)
            while hasattr(dataset, 'dataset'):
                dataset = dataset.dataset
            order = order or getattr(dataset, 'label_order', None)
            asked = getattr(dataset, 'class_order', None)
            if asked == 'alphabetical' and self.class_order:
                raise UserError(
                    f'class_order={self.class_order!r} of LoadReportHook: the '
                    f'data set has class_order={asked!r}, which translates '
                    f"the labels into the authors' order; wanted one of both"
                )
        return self.class_order or order


def load_from_mmuniformer(filename: str, map_location: Any) -> Any:
    """Reads a file for mmengine, which wants this form of name."""
    return load.read(filename)
