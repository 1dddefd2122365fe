"""Tar files that are read as folders: ``tar://data/train.tar/cat/1.jpg``.

The path of a file in a tar file is that of the tar file, and the file's own
below it. ``*``, ``?`` and ``{000..146}`` stand for several tar files. All that
reads by mmengine's file backends takes such paths, in any order: samplers,
seeds and resuming are those of files. A tar file is read once to find where
its files begin; that index is kept in ``~/.cache/mmuniformer/shards``
(``XDG_CACHE_HOME``), and all processes of a machine share it.
"""
