"""Samples that cannot be read are replaced and named, up to a limit."""

import logging

import pytest

from mmuniformer.engine.bad_data import BadData
from mmuniformer.errors import DamagedError, LocalUserError, UserError

from .runs import Ask, Pictures, make


class Damaged(Pictures):
    """Some samples cannot be read."""

    errors = {3: DamagedError("image 'a.jpg' cannot be read: empty")}

    def __getitem__(self, index):
        if index in self.errors:
            raise self.errors[index]
        return super().__getitem__(index)

    def get_data_info(self, index):
        return dict(img_path=f'{index}.jpg')


def train(folder, caplog=None, errors=None, workers=0, hook=None, **policy):
    dataset = Damaged()
    if errors is not None:
        dataset.errors = errors
    data = dict(
        dataset=dataset,
        batch_size=2,
        num_workers=workers,
        sampler=dict(type='DefaultSampler', shuffle=True),
    )
    cfg = dict(bad_data=policy)
    runner = make(folder, 'epoch', hook, train_dataloader=data, cfg=cfg)
    if caplog:
        runner.logger.addHandler(caplog.handler)
        caplog.set_level(logging.WARNING)
    runner.train()


def test_it_is_replaced_and_named_once(tmp_path, caplog):
    train(tmp_path, caplog)
    assert caplog.text.count("'a.jpg' cannot be read") == 1
    assert (tmp_path / 'epoch_3.pth').exists()


def test_any_error_of_a_sample_counts(tmp_path, caplog):
    train(tmp_path, caplog, {4: ValueError('no boxes\nleft')})
    line = "img_path='4.jpg' cannot be used: ValueError: no boxes left"
    assert line in caplog.text


def test_the_same_samples_take_the_place_with_workers(tmp_path):
    hooks = Ask(), Ask()
    for hook, workers in zip(hooks, (0, 2)):
        train(tmp_path / str(workers), workers=workers, hook=hook)
    assert hooks[0].seen == hooks[1].seen


def test_there_is_a_limit(tmp_path):
    errors = {i: DamagedError(f'{i}.jpg cannot be read') for i in (1, 7)}
    with pytest.raises(LocalUserError, match=r'bad_data\.limit=1 samples'):
        train(tmp_path, errors=errors, limit=1)


def test_it_can_stop_the_training(tmp_path):
    with pytest.raises(DamagedError, match=r'a\.jpg'):
        train(tmp_path, policy='stop')


@pytest.mark.parametrize('kind', [KeyError, UserError, NotImplementedError])
def test_mistakes_are_not_replaced(tmp_path, kind):
    """Of the config or the code: all samples fail, or it is said so."""
    errors = {i: kind('key') for i in range(12)}
    with pytest.raises(kind, match='key'):
        train(tmp_path, errors=errors)


@pytest.mark.parametrize(
    'options', [dict(policy='x'), dict(limit=-1), dict(limit='5')]
)
def test_wrong_options(options):
    with pytest.raises(UserError, match=r'bad_data\.'):
        BadData(**options)
