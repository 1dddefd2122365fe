"""Whole models: what is loaded, what is refused."""

import argparse
import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import BaseModel, BaseTTAModel
from mmengine.runner import BaseLoop, Runner
from torch import nn

from mmuniformer.engine import LoadReportHook
from mmuniformer.errors import UserError
from mmuniformer.models import UniFormer
from mmuniformer.weights import files, labels

from .. import TINY


@pytest.fixture
def log(caplog):
    """What goes to mmengine's current logger."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def report(log):
    """The one line of the hook."""
    (record,) = [r for r in log.records if ': loaded ' in r.message]
    return record


class Loop(BaseLoop):
    """A loop that has been built."""

    def __init__(self):
        pass

    def run(self):
        pass


class Classifier(BaseModel):
    """A host's model with the names of mmaction2."""

    def __init__(self, classes=10, **kwargs):
        super().__init__()
        self.backbone = UniFormer(TINY, **kwargs)
        self.cls_head = nn.ModuleDict({'fc_cls': nn.Linear(32, classes)})

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return inputs


def runner(model=None, training=False, resume=False, load_from='x.pth'):
    """As much of a Runner as the hook looks at."""
    return SimpleNamespace(
        model=model or Classifier(),
        _train_loop=Loop() if training else dict(type='EpochBasedTrainLoop'),
        _resume=resume,
        _load_from=load_from,
    )


def official(classes=10, **kwargs):
    """A file of the authors."""
    state = UniFormer(TINY, **kwargs).state_dict()
    state['head.weight'] = torch.randn(classes, 32)
    state['head.bias'] = torch.randn(classes)
    return state


def load(run, checkpoint, **options):
    LoadReportHook(**options).after_load_checkpoint(run, checkpoint)
    return checkpoint['state_dict']


@pytest.mark.parametrize('wrapper', ['model', 'model_state', 'state_dict', ''])
def test_every_wrapper_reaches_the_runner(wrapper):
    state, run = official(), runner()
    done = load(run, {wrapper: state} if wrapper else dict(state))
    assert set(done) == set(run.model.state_dict())
    assert done['cls_head.fc_cls.weight'] is state['head.weight']


def test_one_line_with_the_file_and_head_dim(log):
    load(runner(load_from='w/some.pth'), official())
    record = report(log)
    assert record.levelno == logging.INFO
    assert 'some.pth: loaded' in record.message
    assert 'Classifier, UniFormer (head_dim 8)' in record.message
    assert 'new: none; left out: none' in record.message


def test_another_class_count_is_refused_for_testing():
    with pytest.raises(
        UserError, match=r"'x\.pth'.*class count.*fc_cls\.weight"
    ):
        load(runner(), official(classes=5))


def test_another_class_count_is_refused_for_resuming():
    with pytest.raises(UserError, match='class count'):
        load(runner(training=True, resume=True), official(classes=5))


def test_another_class_count_is_left_out_to_start_training(log):
    state = load(runner(training=True), official(classes=5))
    assert not [name for name in state if 'head' in name]
    record = report(log)
    assert (
        'other classes: cls_head.fc_cls (5 outputs in the file, 10 in the '
        'model)' in record.message
    )


def test_an_equal_class_count_is_kept_to_start_training():
    state = load(runner(training=True), official())
    assert 'cls_head.fc_cls.weight' in state


@pytest.mark.parametrize('training', [True, False])
def test_another_backbone_is_refused(training):
    state = official()
    name = 'blocks3.0.attn.qkv.weight'
    state[name] = state[name].T
    with pytest.raises(UserError, match=rf'differ in shape.*{name}'):
        load(runner(training=training), state)


@pytest.mark.parametrize('training', [True, False])
def test_a_deeper_backbone_is_refused(training):
    state = official()
    state['blocks3.9.norm1.weight'] = torch.ones(24)
    with pytest.raises(UserError, match=r'no place.*blocks3\.9'):
        load(runner(training=training), state)


def test_a_missing_head_is_refused_for_testing():
    with pytest.raises(UserError, match=r'missing: cls_head\.fc_cls\.weight'):
        load(runner(), UniFormer(TINY).state_dict())


@pytest.mark.parametrize('resume', [True, False])
def test_a_single_missing_tensor_is_refused_for_testing(resume):
    state = official()
    del state['head.bias']
    with pytest.raises(UserError, match=r'missing: cls_head\.fc_cls\.bias'):
        load(runner(resume=resume), state)


def test_a_missing_head_is_new_to_start_training(log):
    load(runner(training=True), UniFormer(TINY).state_dict())
    assert 'new: cls_head.fc_cls.weight, cls_head.fc_cls.bias' in log.text


def test_a_missing_stage_is_refused_to_start_training():
    state = {k: v for k, v in official().items() if 'blocks3' not in k}
    with pytest.raises(UserError, match=r'missing: blocks3\.0'):
        load(runner(training=True), state)


def test_a_part_on_request():
    state = {k: v for k, v in official().items() if 'blocks3' not in k}
    assert load(runner(), state, allow_partial=True)


@pytest.mark.parametrize('training', [True, False])
def test_nothing_that_fits_is_refused(training):
    with pytest.raises(UserError, match='only 0 of'):
        load(runner(training=training), {'conv1': torch.ones(1)})


def test_extra_tensors_are_a_warning_for_testing(log):
    load(runner(), official() | {'aux_head.bias': torch.ones(10)})
    record = report(log)
    assert record.levelno == logging.WARNING
    assert 'left out: aux_head.bias' in record.message


def test_norms_of_maps_that_are_not_emitted_are_no_warning(log):
    load(runner(), official() | {'norm1.bias': torch.ones(8)})
    assert report(log).levelno == logging.INFO


def test_a_new_tensor_of_the_backbone_is_a_warning_in_training(log):
    state = official()
    del state['blocks3.0.attn.qkv.bias']
    load(runner(training=True), state)
    assert report(log).levelno == logging.WARNING


def test_image_weights_get_a_time_axis_to_start_training():
    run = runner(Classifier(ndim=3), training=True)
    state = load(run, official(classes=1000))
    weight = state['backbone.patch_embed1.proj.weight']
    assert weight.shape == (8, 3, 3, 4, 4)


def test_image_weights_are_refused_for_testing_a_video_model():
    with pytest.raises(UserError, match='differ in shape'):
        load(runner(Classifier(ndim=3)), official())


def test_averaged_weights_on_request():
    state = official()
    wrapped = {'model': official(), 'model_ema': state}
    done = load(runner(), wrapped, ema=True)
    assert done['cls_head.fc_cls.bias'] is state['head.bias']


@pytest.mark.parametrize('option', [None, 'alphabetical'])
def test_class_order(option):
    state = official(classes=400)
    done = load(runner(Classifier(400)), state, class_order=option)
    order = labels.alphabetical(400) if option else list(range(400))
    assert torch.equal(done['cls_head.fc_cls.bias'], state['head.bias'][order])


def test_own_files_keep_their_class_order():
    model = Classifier(400)
    state = model.state_dict()
    done = load(
        runner(model), {'state_dict': state}, class_order='alphabetical'
    )
    name = 'cls_head.fc_cls.bias'
    assert torch.equal(done[name], state[name])


def test_unknown_class_order():
    with pytest.raises(UserError, match="class_order='abc'"):
        LoadReportHook(class_order='abc')


def test_a_published_file_of_another_head_dim():
    model = Classifier()
    with torch.device('meta'):
        model.backbone = UniFormer('s', head_dim=32)
    run = runner(model, load_from='uniformer_small_k400_16x4.pth')
    with pytest.raises(UserError, match='build it with head_dim=64'):
        load(run, official())


def test_head_dim_goes_with_what_is_saved():
    checkpoint = {'state_dict': Classifier().state_dict(), 'meta': {}}
    LoadReportHook().before_save_checkpoint(runner(), checkpoint)
    assert files.read_note(checkpoint)['head_dim'] == 8
    model = Classifier(head_dim=4)
    with pytest.raises(UserError, match='build it with head_dim=8'):
        load(runner(model), checkpoint)
    assert load(runner(model), checkpoint, check_variant=False)


def test_shapes_tell_what_else_differs():
    checkpoint = {'state_dict': Classifier().state_dict(), 'meta': {}}
    LoadReportHook().before_save_checkpoint(runner(), checkpoint)
    model = Classifier(head_dim=4)
    model.backbone = UniFormer(dict(TINY, embed_dims=(8, 16, 32, 64)))
    with pytest.raises(UserError, match='differ in shape'):
        load(runner(model), checkpoint)


def test_the_model_behind_test_time_augmentation():
    class Average(BaseTTAModel):
        def merge_preds(self, data_samples_list):
            return data_samples_list

    run = runner(Average(Classifier()))
    assert 'backbone.norm.bias' in load(run, official())


def real_runner(folder, path, *hooks):
    return Runner(
        Classifier(),
        experiment_name=folder.name,
        work_dir=str(folder / 'work'),
        load_from=str(path),
        custom_hooks=[*hooks, dict(type='mmuniformer.LoadReportHook')],
        default_scope='mmengine',
    )


@pytest.mark.parametrize('name', ['w.pth', 'w.safetensors'])
def test_mmengine_reads_the_authors_files_as_we_do(tmp_path, name):
    """Trainer arguments, another wrapper, another format."""
    state = official()
    if name == 'w.pth':
        content = {'model': state, 'args': argparse.Namespace(lr=1)}
        torch.save(content, tmp_path / name)
    else:
        files.write(tmp_path / name, state)
    run = real_runner(tmp_path, tmp_path / name)
    run.call_hook('before_run')
    run.load_or_resume()
    assert torch.equal(run.model.cls_head.fc_cls.bias, state['head.bias'])


def test_the_average_starts_from_the_file_too(tmp_path):
    """EMAHook copies the weights after they have their names."""
    state = official()
    torch.save({'model': state}, tmp_path / 'w.pth')
    run = real_runner(tmp_path, tmp_path / 'w.pth', dict(type='EMAHook'))
    run.call_hook('before_run')
    run.load_or_resume()
    hook = next(hook for hook in run.hooks if hasattr(hook, 'ema_model'))
    head = hook.ema_model.module.cls_head.fc_cls
    assert torch.equal(head.bias, state['head.bias'])


def with_labels(model, class_order='authors'):
    """A Runner that tests on labels of Kinetics."""
    run = runner(model, load_from='uniformer_small_k400_16x4.pth')
    dataset = SimpleNamespace(label_order='authors', class_order=class_order)
    wrapped = SimpleNamespace(dataset=dataset)
    run._test_loop = SimpleNamespace(
        dataloader=SimpleNamespace(dataset=wrapped)
    )
    return run


ALPHABETICAL = files.write_note({'class_order': 'alphabetical'})


def test_a_head_gets_the_order_of_the_data_set(log):
    state = Classifier(400, ndim=3).state_dict()
    run = with_labels(Classifier(400, ndim=3))
    run._load_from = 'x.pth'
    done = load(run, {'state_dict': state, 'meta': dict(ALPHABETICAL)})
    name = 'cls_head.fc_cls.bias'
    index = labels.alphabetical(400)
    assert torch.equal(done[name][index], state[name])
    assert (
        'classes: in the head alphabetical (by a note in the file), in the '
        'labels authors: head permuted' in report(log).message
    )


def test_an_order_that_is_asked_for_twice():
    run = with_labels(Classifier(400), 'alphabetical')
    with pytest.raises(UserError, match='wanted one of both'):
        load(run, official(400), class_order='alphabetical')


def test_the_order_of_classes_goes_with_what_is_saved():
    run = with_labels(Classifier(400, ndim=3))
    checkpoint = {'state_dict': {}, 'meta': {}}
    LoadReportHook().before_save_checkpoint(run, checkpoint)
    assert files.read_note(checkpoint)['class_order'] == 'authors'
