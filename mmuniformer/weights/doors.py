"""Every way by which mmengine and its hosts load weights leads to ``load``.

Hosts' ``init_model``, ``init_detector``, ``get_model`` and inferencers call
mmengine's ``load_checkpoint``, which loads what has the right name and says
nothing of the rest: a file of the authors gives random weights. All of these
ways meet in two functions of ``mmengine.runner.checkpoint``, also where hosts
have imported their callers before this package: ``CheckpointLoader`` reads,
``load_state_dict`` copies. Models without a UniFormer go through them as ever.

``mmuniformer`` imports this module, which therefore imports nothing itself.
"""

import ast
import sys
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import ContextVar
from functools import wraps
from types import ModuleType
from typing import Any

from ..compat import _hooks

# What the text of a config may consist of.
CALLS = ('dict', 'set')
PLAIN = (
    ast.Constant, ast.Dict, ast.List, ast.Tuple, ast.Set, ast.keyword,
    ast.UnaryOp, ast.USub, ast.Load,
)  # fmt: skip
# Whether a model is being initialised: then its heads may be new.
_starting: ContextVar[bool] = ContextVar('starting', default=False)


class Origin(OrderedDict[str, Any]):
    """The ``_metadata`` of a state dict, which mmengine hands on.

    Attributes:
        source: The path or URL that it was read from.
        meta: The ``meta`` of its file.
        content: A weak reference to all that the file holds.
        fitted: Whether the procedure has seen it.
    """

    source = 'a checkpoint'
    meta: Any = None
    content: Any = staticmethod(lambda: None)
    fitted = False


class Content(dict[str, Any]):
    """What a file holds, with an attribute for ``Origin``."""

    _metadata: Origin


def install() -> None:
    """Registers the guards; they are put up when mmengine is imported."""
    guards = {
        'mmengine.runner.checkpoint': guard_functions,
        'mmengine.model.weight_init': guard_pretrained,
        'mmengine.runner.runner': guard_runner,
    }
    for name, function in guards.items():
        _hooks.after_import(name, function)


def source(content: Any) -> str:
    """The path or URL that mmengine has read a file's content from, or ''."""
    origin = getattr(content, '_metadata', None)
    return origin.source if isinstance(origin, Origin) else ''


def mark(state: Mapping[str, Any]) -> OrderedDict[str, Any]:
    """A fitted state dict, which is loaded as it is."""
    done, origin = OrderedDict(state), Origin()
    origin.fitted = True
    done._metadata = origin  # type: ignore[attr-defined]
    return done


def guard_functions(checkpoint: ModuleType) -> None:
    """Guards the two functions of ``mmengine.runner.checkpoint``."""
    loader = checkpoint.CheckpointLoader
    read = loader.load_checkpoint.__func__
    copy = checkpoint.load_state_dict

    @wraps(read)
    def load_checkpoint(
        cls: Any, filename: Any, map_location: Any = None, logger: Any = None
    ) -> Any:
        if _old_torch_with_uniformer():
            return _with_origin(_read(filename, None), filename)
        try:
            content = read(cls, filename, map_location, logger)
        except FileNotFoundError:
            raise
        except Exception as error:
            content = _read(filename, error)
        return _with_origin(content, filename)

    @wraps(copy)
    def load_state_dict(
        module: Any, state_dict: Any, strict: bool = False, logger: Any = None
    ) -> Any:
        from . import load

        if not load.has_uniformer(load.bare_model(module)):
            return copy(module, state_dict, strict, logger)
        origin = getattr(state_dict, '_metadata', None)
        if not getattr(origin, 'fitted', False):
            state_dict = _fitted(module, state_dict, origin)
        if isinstance(origin, Origin) and origin.content() is not None:
            origin.content().setdefault('meta', {})  # mmseg asks for it
        if strict:
            return copy(module, state_dict, strict, logger)
        return load.put(load.bare_model(module), state_dict)

    loader.load_checkpoint = classmethod(load_checkpoint)
    checkpoint.load_state_dict = load_state_dict  # type: ignore


def guard_pretrained(weight_init: ModuleType) -> None:
    """Lets an ``init_cfg`` of a whole model leave the heads as they are."""
    kind = weight_init.PretrainedInit
    call = kind.__call__

    @wraps(call)
    def initialise(self: Any, module: Any) -> Any:
        token = _starting.set(True)
        try:
            return call(self, module)
        finally:
            _starting.reset(token)

    kind.__call__ = initialise


def guard_runner(runner: ModuleType) -> None:
    """Gives each Runner of a UniFormer our hook, which knows what it does."""
    kind = runner.Runner
    call = kind.load_checkpoint

    @wraps(call)
    def load_checkpoint(self: Any, *args: Any, **kwargs: Any) -> Any:
        from . import load
        from .load_report import LoadReportHook

        hooked = any(isinstance(hook, LoadReportHook) for hook in self.hooks)
        if not hooked and load.has_uniformer(load.bare_model(self.model)):
            hook = LoadReportHook()
            self.register_hook(hook)
            hook.before_run(self)
        return call(self, *args, **kwargs)

    kind.load_checkpoint = load_checkpoint


def _old_torch_with_uniformer() -> bool:
    """Whether mmengine would run the code in a file for one of our models."""
    torch = sys.modules['torch']
    built = 'mmuniformer.models.uniformer' in sys.modules
    return built and torch.__version__ < '2.6'  # compares as versions do


def _read(filename: Any, error: Exception | None) -> Any:
    """Reads what mmengine cannot: other formats, trainers' arguments."""
    from ..errors import UserError
    from . import load

    if not isinstance(filename, str):
        raise error or TypeError(f'filename={filename!r}: wanted a path')
    if '://' in filename and not filename.startswith('http'):
        raise error or ValueError(f'filename={filename!r}: wanted a path')
    try:
        return load.read(filename)
    except UserError as ours:
        raise ours from error


def _with_origin(content: Any, filename: Any) -> Any:
    """Notes in a file's content, and its state dict, where it comes from."""
    if not isinstance(content, dict):
        return content
    _drop_code(content)
    if not isinstance(content, OrderedDict):
        content = Content(content)
    inner = content.get('state_dict')
    if isinstance(inner, Mapping):
        content['state_dict'] = named = OrderedDict(inner)
        _note(named, inner, content, filename)
    _note(content, content, content, filename)
    return content


def _drop_code(content: dict[str, Any]) -> None:
    """Takes out what mmengine would run: configs that are more than values.

    Its inferencers evaluate a file's config when they are given no other.
    """
    hub = content.get('message_hub')
    info = hub.get('runtime_info') if isinstance(hub, Mapping) else None
    for holder in (content.get('meta'), info):
        if isinstance(holder, dict) and not is_plain(holder.get('cfg', '')):
            del holder['cfg']


def is_plain(text: Any) -> bool:
    """Whether a config has nothing but names, values and ``dict(...)``."""
    try:
        body = ast.parse(text).body
        return all(
            isinstance(line, ast.Assign)
            and isinstance(line.targets[0], ast.Name)
            and line.targets[0].id != '_base_'
            and all(map(_is_value, ast.walk(line.value)))
            for line in body
        )
    except (TypeError, ValueError, SyntaxError, RecursionError, MemoryError):
        return False


def _is_value(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        function = node.func
        return isinstance(function, ast.Name) and function.id in CALLS
    if isinstance(node, ast.Name):
        return node.id in CALLS
    return isinstance(node, PLAIN)


def _note(named: Any, state: Any, content: Any, filename: Any) -> None:
    origin = Origin(getattr(state, '_metadata', None) or {})
    origin.source, origin.meta = str(filename), content.get('meta')
    origin.content = weakref.ref(content)
    named._metadata = origin


def _fitted(module: Any, state: Any, origin: Any) -> OrderedDict[str, Any]:
    """What is to be copied into a model that has a UniFormer."""
    from . import download, files, load, reading

    origin = origin if isinstance(origin, Origin) else Origin()
    content = dict(state)
    content.setdefault('meta', origin.meta)
    path = download.local_path(origin.source)
    if download.is_url(origin.source):
        content = load.read(origin.source)  # mmengine mixes up equal names
    elif path.is_file():
        with files.named(origin.source):
            reading.check(path)
    model = load.bare_model(module)
    starts = _starting.get() or load.is_uniformer(model)
    return mark(
        load.fit(model, content, origin.source, starts, load.Options())[0]
    )
