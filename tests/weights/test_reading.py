"""Files that are damaged, hostile, or something else."""

import io
import os
import pickle
import random
import tarfile
import zipfile

import pytest
import torch
from torch import nn

from mmuniformer.errors import UserError
from mmuniformer.weights import files, reading
from mmuniformer.weights.reading import read

STATE = {'weight': torch.randn(64, 48), 'bias': torch.zeros(2)}


@pytest.fixture
def path(tmp_path):
    torch.save({'model': STATE}, tmp_path / 'w.pth')
    return tmp_path / 'w.pth'


def tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as archive:
        archive.addfile(tarfile.TarInfo('pickle'))
    return buffer.getvalue()


def zipped(**content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        for name, value in content.items():
            archive.writestr(name, value)
    return buffer.getvalue()


@pytest.mark.parametrize(
    'content, wanted',
    [
        (b'', 'is empty'),
        (b'\n <!doctype HTML><p>', 'is an HTML page'),
        (b'<?xml version="1.0"?><Error>', 'is an XML page'),
        (b'\x89PNG\r\n\x1a\n' + bytes(99), 'is a picture'),
        (b'\xff\xd8\xff\xe0' + bytes(99), 'is a picture'),
        (b'version https://git-lfs.github.com/spec/v1\noid', 'Git LFS'),
        (b'\x1f\x8b\x08' + bytes(99), 'compressed archive'),
        (tar(), 'is a tar archive'),
        (zipped(a='text'), 'is a zip archive without weights'),
        (b'PK\x03\x04' + bytes(99), 'is cut off'),
        (random.Random(0).randbytes(4096), 'is no weight file'),
        (b'hello world', 'is no weight file: it begins with'),
        (b'\x80\x02' + bytes(99), 'cannot be read'),
    ],
    ids=range(13),  # a zip holds the time: processes must agree on names
)
@pytest.mark.parametrize('name', ['w.pth', 'w.safetensors'])
def test_what_is_something_else_is_called_by_its_name(
    tmp_path, name, content, wanted
):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf'w\.\w+.*{wanted}') as caught:
        read(path)
    assert 'run code' not in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_folder(tmp_path):
    with pytest.raises(UserError, match='is a folder'):
        read(tmp_path)


def test_a_program_of_torchscript(tmp_path):
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / 'w.pth')
    with pytest.raises(UserError, match='TorchScript archive'):
        read(tmp_path / 'w.pth')


def flipped(content, bit):
    content = bytearray(content)
    content[bit // 8] ^= 1 << bit % 8
    return bytes(content)


def test_flipped_bits_are_found_or_harmless(path, tmp_path):
    content, rng = path.read_bytes(), random.Random(0)
    other, refused = tmp_path / 'other.pth', 0
    for _ in range(60):
        other.write_bytes(flipped(content, rng.randrange(8 * len(content))))
        try:
            found = read(other)['model']
        except UserError:
            refused += 1
        else:
            assert all(torch.equal(found[k], v) for k, v in STATE.items())
    assert refused > 40


def test_files_without_sums(tmp_path, path):
    """PyTorch can be told not to compute them."""
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        sums = {part.CRC for part in archive.infolist()}
    for value in sums:
        old, new = value.to_bytes(4, 'little'), b'\x01\x02\x03\x04'
        content = content.replace(old, new)
    path.write_bytes(content)
    assert torch.equal(read(path)['model']['weight'], STATE['weight'])


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, 'SMALL_BYTES', 2**20)
    path = tmp_path / 'w.pth'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('w/data.pkl', b'')
        archive.writestr('w/data/0', bytes(2**22))
    with pytest.raises(UserError, match='unpacks to 4194304 bytes'):
        read(path)


def test_two_parts_of_one_name(path):
    with zipfile.ZipFile(path, 'a') as archive:
        name = archive.namelist()[0]
        with pytest.warns(UserWarning, match='Duplicate'):
            archive.writestr(name, b'other')
    with pytest.raises(UserError, match='two parts of one name'):
        read(path)


def test_the_content_tells_the_format(tmp_path, path):
    files.write(tmp_path / 'x.safetensors', STATE)
    os.replace(tmp_path / 'x.safetensors', tmp_path / 'x.bin')
    os.replace(path, tmp_path / 'w.safetensors')
    assert files.unwrap(read(tmp_path / 'x.bin')).keys() == STATE.keys()
    assert read(tmp_path / 'w.safetensors')['model'].keys() == STATE.keys()


@pytest.mark.parametrize(
    'value, wanted',
    [
        (torch.tensor([1.0, float('inf')]), 'has 1 of 2 values not finite'),
        (torch.ones(2, dtype=torch.complex64), 'is of type torch.complex64'),
        (torch.ones(2, dtype=torch.int8), 'is of type torch.int8'),
        (torch.ones(2, 2).to_sparse(), 'is sparse'),
        (torch.quantize_per_tensor(torch.ones(2), 1, 0, torch.qint8), 'quant'),
    ],
)
def test_strange_tensors_are_named(value, wanted):
    with pytest.raises(UserError, match=f'some.weight.*{wanted}'):
        files.check_tensors({'good': torch.ones(1), 'some.weight': value})


@pytest.mark.parametrize(
    'value, wanted',
    [
        (torch.empty(3, device='meta'), 'device meta'),
        (torch.zeros(1).expand(2**40), 'tensor of 4398046511104 bytes'),
    ],
)
def test_tensors_that_are_not_there(tmp_path, value, wanted):
    path = tmp_path / 'w.pth'
    torch.save({'model': STATE, 'x': [{'y': value}]}, path)
    with pytest.raises(UserError, match=wanted):
        read(path)


def test_counters_are_integers():
    files.check_tensors({'steps': torch.tensor(3)}, ['steps'])


def test_plain_pickles_of_other_things(tmp_path):
    path = tmp_path / 'w.pth'
    path.write_bytes(pickle.dumps({'a': 1}))
    with pytest.raises(UserError, match=r'w\.pth'):
        files.unwrap(read(path))
