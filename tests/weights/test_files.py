"""Weight files: wrappers, prefixes, damage, writing."""

import argparse
import os
import pickle

import pytest
import torch
from torch import nn

from mmuniformer.errors import UserError
from mmuniformer.weights import files

from .test_published_keys import CASES

STATE = {'weight': torch.ones(2, 3), 'bias': torch.zeros(2)}
OTHER = {'weight': torch.full((2, 3), 7.0), 'bias': torch.zeros(2)}


KEYS = {case: [name for name, _ in keys] for case, keys in CASES.items()}


def same(state):
    return {k: v.tolist() for k, v in state.items()} == {
        k: v.tolist() for k, v in STATE.items()
    }


@pytest.mark.parametrize(
    'wrapped',
    [
        STATE,
        {'model': STATE, 'optimizer': {}, 'epoch': 3},
        {'state_dict': STATE, 'meta': {'CLASSES': ('a',)}},
        {'model_state': STATE, 'cfg': 'TRAIN: {}'},
        {'model': {f'module.{k}': v for k, v in STATE.items()}},
        {f'module._orig_mod.{k}': v for k, v in STATE.items()},
        {'model': STATE, 'model_ema': OTHER, 'max_accuracy': 83.8},
    ],
)
def test_every_wrapper_is_taken_off(wrapped):
    assert same(files.unwrap(wrapped))


@pytest.mark.parametrize('key', files.EMA_WRAPPERS)
def test_averaged_weights_on_request(key):
    wrapped = {'model': OTHER, 'state_dict': OTHER, key: STATE}
    assert same(files.unwrap(wrapped, ema=True))


def test_averaged_weights_of_mmengine_are_its_state_dict():
    """Its EMAHook swaps the two names on saving."""
    raw = {'module.weight': OTHER['weight'], 'steps': torch.tensor(3)}
    wrapped = {'state_dict': STATE, 'ema_state_dict': raw}
    assert same(files.unwrap(wrapped, ema=True))


@pytest.mark.parametrize(
    'wrapped',
    [
        {
            'state_dict': OTHER,
            'ema_state_dict': {
                **{f'module.{k}': v for k, v in STATE.items()},
                'steps': torch.tensor(3),
            },
        },
        {'model': STATE, 'model_ema': OTHER},
        {'state_dict': STATE, 'state_dict_ema': OTHER},
    ],
)
def test_raw_weights_on_request(wrapped):
    assert same(files.unwrap(wrapped, raw=True))


def test_raw_weights_of_a_file_with_one_set_is_an_error():
    with pytest.raises(UserError, match=r'one set.*ema_state_dict.*got model'):
        files.unwrap({'model': STATE}, raw=True)


def test_no_averaged_weights_is_an_error():
    with pytest.raises(UserError, match='ema=True'):
        files.unwrap({'model': STATE}, ema=True)


@pytest.mark.parametrize('content', [{}, {'epoch': 3}, [STATE], 'weights'])
def test_content_without_tensors_is_an_error(content):
    with pytest.raises(UserError):
        files.unwrap(content)


@pytest.mark.parametrize('suffix', ['.pth', '.pyth', '.safetensors'])
def test_file_formats(tmp_path, suffix):
    path = tmp_path / f'weights{suffix}'
    if suffix == '.safetensors':
        from safetensors.torch import save_file

        save_file(STATE, path)
    else:
        torch.save({'model': STATE}, path)
    assert same(files.unwrap(files.read(path)))


def test_trainer_arguments_do_not_stop_the_reading(tmp_path):
    path = tmp_path / 'checkpoint.pth'
    torch.save({'model': STATE, 'args': argparse.Namespace(lr=1e-3)}, path)
    assert same(files.unwrap(files.read(path)))


def test_legacy_format_of_old_torch(tmp_path):
    path = tmp_path / 'old.pth'
    torch.save(STATE, path, _use_new_zipfile_serialization=False)
    assert same(files.unwrap(files.read(path)))


def test_missing_file():
    with pytest.raises(UserError, match=r'nowhere\.pth.*no such file'):
        files.read('nowhere.pth')


@pytest.mark.parametrize('kind', ['zip', 'legacy', 'safetensors'])
def test_truncated_file(tmp_path, kind):
    path = tmp_path / f'cut.{kind}'
    if kind == 'safetensors':
        files.write(path, STATE)
    else:
        zipped = kind == 'zip'
        torch.save(STATE, path, _use_new_zipfile_serialization=zipped)
    os.truncate(path, path.stat().st_size - 8)
    with pytest.raises(UserError, match=r'cut\..*again'):
        files.read(path)


@pytest.mark.parametrize('name', ['page.pth', 'page.safetensors'])
def test_a_web_page_instead_of_weights(tmp_path, name):
    path = tmp_path / name
    path.write_text('<html>404</html>')
    with pytest.raises(UserError, match='page'):
        files.read(path)


class RunsCode:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('plain', [True, False])
def test_code_in_a_pickle_does_not_run(tmp_path, plain):
    path, trace = tmp_path / 'evil.pth', tmp_path / 'trace'
    content = {'model': STATE, 'extra': RunsCode(trace)}
    if plain:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(UserError, match='evil'):
        files.read(path)
    assert not trace.exists()


def test_compare_names_what_differs():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    state = model.state_dict()
    state['0.weight'] = state['0.weight'].T
    state['extra'] = torch.ones(1)
    del state['1.bias'], state['1.num_batches_tracked']
    match = files.compare(files.shapes(model), state)
    assert match.mismatched == [
        '0.weight: (3, 2) in the file, (2, 3) in the model'
    ]
    assert (match.missing, match.unexpected) == (['1.bias'], ['extra'])


def test_brief_says_how_many_more():
    assert files.brief('abcdef', 2) == 'a, b and 4 more'


@pytest.mark.parametrize('name', ['out.pth', 'out.safetensors'])
def test_written_files_are_read_back(tmp_path, name):
    note = {'head_dim': 32, 'published': 'x'}
    files.write(tmp_path / name, STATE, 'model', note)
    content = files.read(tmp_path / name)
    assert same(files.unwrap(content)) and files.read_note(content) == note
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize('name', ['out.pth', 'out.safetensors'])
def test_a_view_is_written_without_the_storage_behind_it(tmp_path, name):
    state = {'a': torch.ones(10**6)[:2], 'b': torch.ones(1).expand(2)}
    files.write(tmp_path / name, state)
    assert (tmp_path / name).stat().st_size < 10**4


def test_a_file_that_cannot_be_written_whole_is_not_there(
    tmp_path, monkeypatch
):
    def fails(handle):
        raise OSError('no space left')

    monkeypatch.setattr(os, 'fsync', fails)
    with pytest.raises(OSError):
        files.write(tmp_path / 'out.pth', STATE)
    assert not list(tmp_path.iterdir())


def test_no_folder_to_write_to(tmp_path):
    with pytest.raises(UserError, match='no such folder'):
        files.write(tmp_path / 'nowhere/out.pth', STATE)


@pytest.mark.parametrize(
    'content',
    [STATE, [], {'meta': None}, {'meta': {files.NOTE: '{'}}, {'meta': {}}],
)
def test_files_without_a_note(content):
    assert files.read_note(content) == {}


def test_prefixes_may_be_nested_in_any_order():
    value = torch.zeros(1)
    for prefix in (
        'module.model.',
        '_orig_mod.module.',
        'model.module.model.',
    ):
        assert files.unwrap_prefixes({f'{prefix}a': value}) == {'a': value}


def test_a_prefix_of_some_names_is_a_part_of_them():
    state = {'model.a': torch.zeros(1), 'b': torch.zeros(1)}
    assert files.unwrap_prefixes(state) == state


@pytest.mark.parametrize('case', KEYS)
def test_published_files_are_whole(case):
    files.check_whole(
        {
            name: torch.empty(shape, device='meta')
            for name, shape in CASES[case]
        }
    )


@pytest.mark.parametrize(
    'change, wanted',
    [
        (lambda x: x[1:], 'beside it of'),
        (lambda x: x.sum(), 'beside it of'),
        (lambda x: x[..., None], r'of \[4, 5\] dimensions'),
    ],
)
def test_shapes_that_do_not_go_together(change, wanted):
    state = {k: torch.empty(s, device='meta') for k, s in CASES['cls_s']}
    name = 'patch_embed2.proj.weight'
    state[name] = change(state[name])
    with pytest.raises(UserError, match=wanted):
        files.check_whole(state)


@pytest.mark.parametrize(
    'name',
    [
        'patch_embed1.proj.weight', 'blocks3.1.attn.qkv.weight',
        'blocks1.0.norm1.running_var', 'blocks4.2.gamma_1', 'head.weight',
    ],
)  # fmt: skip
def test_a_tensor_that_is_gone_is_missed(name):
    case = 'cls_b_ls' if 'gamma' in name else 'cls_s'
    keys = [key for key in KEYS[case] if key != name]
    assert len(keys) < len(KEYS[case])
    assert files.missing_names(keys) == [name]
    prefixed = [f'backbone.{key}' for key in keys]
    assert files.missing_names(prefixed) == [f'backbone.{name}']
