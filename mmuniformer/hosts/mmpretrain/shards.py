"""For mmpretrain: pictures in tar files."""

from typing import Any

from mmpretrain.datasets import CustomDataset

from ...errors import UserError
from ...registry import DATASETS
from ...shards.samples import samples


@DATASETS.register_module()
class ShardDataset(CustomDataset):
    """Labelled pictures of tar files, in the order of a folder of files.

    The class of a picture is the number in the file ``NAME.cls`` beside it,
    as WebDataset has it, or else the folder in which it is.

    Args:
        data_root: The tar files, as ``tar://data/train-{000..146}.tar``, and
            a folder in them; or '' and the same as ``data_prefix``.
        kwargs: As of mmpretrain's ``CustomDataset``.
    """

    def __init__(self, data_root: str = '', **kwargs: Any) -> None:
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Lists the pictures.

        Raises:
            UserError: There are none, one has no label, or the classes are
                others than those of ``classes``.
        """
        found, names = samples(self.img_prefix, self.extensions)
        known = self.CLASSES
        if names and known and len(names) != len(known):
            raise UserError(
                f'{self.img_prefix!r} has {len(names)} folders of classes, '
                f'but the data set has {len(known)} classes'
            )
        if names and not known:
            self._metainfo['classes'] = names
        highest = max(label for _, label in found)
        if known and highest >= len(known):
            raise UserError(
                f'{self.img_prefix!r} has a label {highest}, but the data set '
                f'has {len(known)} classes'
            )
        return [dict(img_path=path, gt_label=label) for path, label in found]
