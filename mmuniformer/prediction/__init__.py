"""From a picture or a clip to an answer: see docs/predict.md."""

import logging
from typing import Any

from mmengine.logging import print_log

from .output import Output
from .predictor import Prediction, Predictor

__all__ = ['Output', 'Prediction', 'Predictor', 'predict']


def predict(
    model: Any,
    sources: Any,
    checkpoint: str | None = None,
    out: str | None = None,
    draw: bool = True,
    score: float = 0.3,
    **options: Any,
) -> list[dict[str, Any]]:
    """Predicts pictures, videos or clips with a model of any task.

    Args:
        model: A config (with ``checkpoint``), a work dir, a checkpoint of a
            training run, or the name of a published file; or a
            :class:`Predictor`, which keeps the model for the next call.
        sources: A path, or several: files, folders, patterns, lists, videos;
            or arrays (H, W, 3) in BGR.
        checkpoint: Weights, instead of those that belong to ``model``.
        out: Folder for JSON lines, pictures and videos.
        draw: Whether to write pictures and videos there.
        score: What is drawn has at least this score.
        options: Of :class:`Predictor`: ``device``, ``batch``, ``top_k``, ...

    Returns:
        A record for each picture, frame or clip, as in the JSON lines; of
        what cannot be read, ``source`` and ``error``, and a warning.

    Raises:
        UserError: The model or an option does not fit.
    """
    if not isinstance(model, Predictor):
        model = Predictor(model, checkpoint, **options)
    records = []
    with Output(model, out, draw, score) as output:
        for prediction in model.stream(sources):
            records.append(output.write(prediction))
            if prediction.error:
                print_log(
                    f'skipped {prediction.source.path}: {prediction.error}',
                    logger='current',
                    level=logging.WARNING,
                )
    return records
