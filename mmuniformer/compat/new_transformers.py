"""Hosts that do not import beside a newer transformers.

mmpretrain 1.2.0 and mmaction2 1.2.0 derive multi-modal models from names that
transformers >= 4.57 no longer has where they look: ``import
mmpretrain.models`` then fails as a whole, in BLIP. Both have placeholders for
machines without transformers, which say so when one of these models is built;
they serve here too. (No upstream issue; both hosts were frozen before.)
"""

from typing import Any

from ._hooks import LOG


def apply(dependency: Any) -> None:
    """Takes transformers for absent if it lacks what the host looks for."""
    if not dependency.WITH_MULTIMODAL:
        return
    try:
        from transformers.modeling_utils import (  # noqa: F401
            PreTrainedModel,
            apply_chunking_to_forward,
            find_pruneable_heads_and_indices,
            prune_linear_layer,
        )
    except Exception as error:
        LOG.debug('%s: no multi-modal models: %s', dependency.__name__, error)
        dependency.WITH_MULTIMODAL = False
