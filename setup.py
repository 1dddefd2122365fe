"""Installs mmuniformer; its metadata are in pyproject.toml.

Beside the package of a wheel lies a start-up file, which loads
mmuniformer.compat when OpenMMLab is first imported
(mmuniformer/compat/_startup.py).
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

here = Path(__file__).parent


class BuildWithStartUp(build_py):
    """Puts the start-up file on the top level of a wheel."""

    def run(self):
        """Builds, and adds the module and its one-line .pth file."""
        super().run()
        if not self.editable_mode:
            top = Path(self.build_lib)
            source = here / 'mmuniformer/compat/_startup.py'
            self.copy_file(source, top / '_mmuniformer_startup.py')
            start = top / '_mmuniformer_startup.pth'
            start.write_text('import _mmuniformer_startup\n')


setup(cmdclass=dict(build_py=BuildWithStartUp))
