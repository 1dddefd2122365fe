"""Data sets at a URL, of which mmengine reads single files alone.

``HTTPBackend`` gets a file and does no more: with ``data_root`` at a URL, data
sets of all hosts end in ``'HTTPBackend' object has no attribute 'join_path'``,
and mmpose's at any URL in ``'exists'`` (mmdetection#4212). Folders cannot be
listed over HTTP: lists and annotation files can be read.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen


def apply(module: ModuleType) -> None:
    """Gives the backend what the data sets of the hosts ask it for."""
    backend = module.HTTPBackend
    if hasattr(backend, 'join_path'):
        return  # a newer mmengine
    backend.join_path = join_path
    backend.get = named(backend.get)
    backend.get_text = named(backend.get_text)
    backend.exists = exists
    backend.isfile = exists
    backend.isdir = is_folder


def named(read: Callable[..., Any]) -> Callable[..., Any]:
    """A method that reads, whose errors have the URL that was asked for."""

    @functools.wraps(read)
    def ask(self: Any, filepath: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return read(self, filepath, *args, **kwargs)
        except URLError as error:
            vars(error).setdefault('url', filepath)
            raise

    return ask


def join_path(_: Any, path: str, *parts: str) -> str:
    """A URL below another one."""
    for part in parts:
        path = f'{path.rstrip("/")}/{part.lstrip("/")}' if part else path
    return path


def exists(_: Any, path: str) -> bool:
    """Whether a server has a file."""
    try:
        with urlopen(Request(path, method='HEAD')):
            return True
    except HTTPError as error:
        if error.code in (404, 410):
            return False
        raise


def is_folder(_: Any, path: str) -> bool:
    """Whether a URL is written as that of a folder."""
    return path.endswith('/')
