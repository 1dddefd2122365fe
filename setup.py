"""Installs mmuniformer into an environment without changing it.

The core needs torch and mmengine. The OpenMMLab libraries are extras, without
upper bounds: versions that are already there stay. mmpose and mmaction2 ask
for packages that do not build or are not needed, so `pose` and `video` bring
what they really need, and the two themselves come by
`pip install --no-deps mmpose mmaction2`; requirements.lock holds all that is
tested. Beside the package lies a start-up file, which loads mmuniformer.compat
when OpenMMLab is first imported (mmuniformer/compat/_startup.py).
"""

import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

here = Path(__file__).parent
version = re.search(
    r"__version__ = '(.+)'", (here / 'mmuniformer/__init__.py').read_text()
)


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


setup(
    name='mmuniformer',
    version=version[1],
    description='UniFormer as one backbone for every OpenMMLab 2.0 task',
    long_description=(here / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    cmdclass=dict(build_py=BuildWithStartUp),
    packages=find_packages(include=['mmuniformer', 'mmuniformer.*']),
    package_data={
        'mmuniformer': [
            'py.typed',
            'weights/published.tsv',
            'weights/labels/*.txt',
            # Links to the folders of the clone; files in a wheel.
            '.mim/configs/**/*',
            '.mim/tools/**/*',
            '.mim/model-index.yml',
        ]
    },
    entry_points={'console_scripts': ['mmuniformer=mmuniformer.cli:main']},
    python_requires='>=3.10',
    install_requires=['torch>=2.1', 'mmengine>=0.8.3'],
    extras_require={
        'cls': ['mmpretrain>=1.0.0', 'timm'],
        'det': ['mmdet>=3.1.0', 'pycocotools'],
        'seg': ['mmsegmentation>=1.1.0', 'ftfy', 'pycocotools', 'regex'],
        'pose': ['json_tricks', 'munkres', 'pycocotools', 'scipy'],
        'video': ['decord', 'einops', 'scipy', 'timm'],
        # To run exported graphs elsewhere; docs/export.md.
        'export': ['onnx', 'onnxscript', 'onnxruntime'],
        'log': ['tensorboard', 'wandb', 'mlflow'],
        'dev': ['pytest>=8', 'pytest-xdist', 'ruff', 'mypy', 'safetensors'],
    },
)
