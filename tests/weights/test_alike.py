"""Files that are alike, against what reads each of them anew."""

import sys

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.weights import alike, reading


@pytest.fixture
def anew(monkeypatch):
    """Names of the files that were read anew."""
    names = []

    def read(path):
        names.append(path.name)
        return reading.read(path)

    monkeypatch.setattr(alike, 'read', read)
    return names


def outcome(read, path):
    """A tensor's type and numbers, or what is said in place of them."""
    try:
        found = read(path)
    except UserError as error:
        return str(error)
    if torch.is_tensor(found):
        return found.dtype, found.tolist()
    return repr(found)


def save(folder, name, content):
    torch.save(content, folder / name)
    return folder / name


def same(files, path):
    assert outcome(files.read, path) == outcome(reading.read, path), path.name


@pytest.mark.parametrize('dtype', ['half', 'float', 'bfloat16', 'uint8'])
def test_only_the_first_of_a_kind_is_unpickled(tmp_path, anew, dtype):
    files = alike.Alike()
    for name in ('1.pt', '2.pt', 'cat_10026.pt', 'dog_20034.pt', '3.pt'):
        numbers = torch.randint(256, (2, 5, 3, 4)).to(getattr(torch, dtype))
        same(files, save(tmp_path, name, numbers))
    assert anew == ['1.pt', 'cat_10026.pt']


def test_whatever_else_a_file_holds(tmp_path, anew):
    files, numbers = alike.Alike(), torch.randn(2, 3, 4)
    contents = [
        numbers, numbers.half(), numbers[0], numbers.transpose(0, 1),
        numbers.reshape(4, 6), torch.empty(0), torch.tensor(2.0),
        torch.nn.Parameter(numbers), [numbers, numbers], dict(a=numbers),
        numbers + 1j, 'text', numbers[:, 1:], numbers[:, ::2],
    ]  # fmt: skip
    for number, content in enumerate(contents):
        path = save(tmp_path, f'{number:02}.pt', content)
        same(files, path)
        assert anew == [path.name]
        anew.clear()


def test_numbers_of_another_order_of_bytes(tmp_path, monkeypatch):
    files = alike.Alike()
    monkeypatch.setattr(sys, 'byteorder', 'big')
    paths = [save(tmp_path, f'{n}.pt', torch.arange(9) + n) for n in (1, 2)]
    monkeypatch.undo()
    for path in paths:
        same(files, path)


def test_damage_is_called_by_its_name(tmp_path):
    files = alike.Alike()
    first = save(tmp_path, 'a.pt', torch.ones(2, 2, 1, 2).half())
    same(files, first)
    data = first.read_bytes()
    path = tmp_path / 'b.pt'
    for place in range(0, len(data), 29):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        same(files, path)


def test_what_is_no_map(tmp_path):
    files = alike.Alike()
    data = save(tmp_path, 'a.pt', torch.ones(2, 2, 1, 2)).read_bytes()
    same(files, tmp_path / 'a.pt')
    path = tmp_path / 'b.pt'
    for content in (
        b'', b'<html>', b'<html>' + data, data[:-1], data[: len(data) // 2],
        data + b'more', b'PK', b'\x80\x02.', data[1:],
    ):  # fmt: skip
        path.write_bytes(content)
        same(files, path)
    same(files, tmp_path)
    same(files, tmp_path / 'none.pt')
