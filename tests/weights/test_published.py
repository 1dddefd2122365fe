"""The table of published files: consistent, and found by name or content."""

import hashlib

import pytest

from mmuniformer.models.arch import ARCHS, LIGHT_ARCHS
from mmuniformer.weights import published

STEMS = {
    'patch': ('patch',) * 4,
    'conv': ('conv',) * 4,
    'conv1': ('conv', 'patch', 'patch', 'patch'),
}
TABLE = published.table()


@pytest.mark.parametrize('name', TABLE)
def test_a_row_is_a_size_of_ours(name):
    release = TABLE[name]
    arch = (ARCHS | LIGHT_ARCHS)[release.arch]
    scaled = ''.join(i for i, on in zip('1234', arch.layer_scale) if on)
    assert STEMS[release.stem] == arch.stems
    assert all(d % release.head_dim == 0 for d in arch.embed_dims[2:])
    # The only files with more than their size says.
    light_scaled = release.ndim == 3 and release.arch == 'xxs'
    assert release.layer_scale == scaled or light_scaled


def test_head_dims_that_differ_from_the_size():
    """Token labeling, and one S+ that the authors trained again."""
    names = {
        name
        for name, release in TABLE.items()
        if release.head_dim != (ARCHS | LIGHT_ARCHS)[release.arch].head_dim
    }
    assert names == {
        'uniformer_small_plus_dim64_in1k',
        'uniformer_small_plus_dim64_tl_224',
        'uniformer_small_tl_224',
        'uniformer_small_tl_384',
        'uniformer_base_tl_224',
        'uniformer_base_tl_384',
    }


def test_how_many_there_are():
    tasks = [release.task for release in TABLE.values()]
    counts = {task: tasks.count(task) for task in tasks}
    assert counts == dict(cls=22, det=8, seg=10, pose=6, video=42)


def test_sums_are_sums_and_differ():
    sums = [release.md5 for release in TABLE.values() if release.md5]
    assert len(set(sums)) == len(sums) == 16
    assert all(len(bytes.fromhex(value)) == 16 for value in sums)


@pytest.mark.parametrize(
    'file, name',
    [
        ('uniformer_small_in1k.pth', 'uniformer_small_in1k'),
        ('uniformer_small_in1k (1).pth', 'uniformer_small_in1k'),
        ('w/uniformer_base_in1k.safetensors', 'uniformer_base_in1k'),
        (
            'uniformer_small_in1k_20221219-fe0a7ae0.pth',
            'uniformer_small_in1k',
        ),
        (
            'top_down_384x288_global_base-c650da38_20230724.pth',
            'top_down_384x288_global_base',
        ),
        (
            'uniformer-base_imagenet1k-pre_32x4x1_kinetics400-rgb'
            '_20221219-b776322c.pth',
            'uniformer-base_imagenet1k-pre_32x4x1_kinetics400-rgb',
        ),
        ('uniformer_small_k400_16x4.pth', 'uniformer_s16x4_k400'),
        ('uniformer_base_k600_32x4.pth', 'uniformer_b32x4_k600'),
        (
            'uniformer_base_sthv2_32_prek600.pth',
            'uniformer_b32_sthv2_prek600',
        ),
        ('uniformer_xxs32_160_k400.pth', 'uniformer_xxs32_160_k400'),
        ('mask_rcnn_3x_ms_hybrid_small.pth', 'mask_rcnn_3x_ms_hybrid_small'),
    ],
)
def test_found_by_name(file, name):
    assert published.find(file) is TABLE[name]


@pytest.mark.parametrize('file', ['epoch_12.pth', 'none.pth', 'small.pth'])
def test_other_files_are_not_known(file):
    assert published.find(file) is None


def test_found_by_content(tmp_path, monkeypatch):
    path = tmp_path / 'renamed.pth'
    path.write_bytes(b'weights')
    md5 = hashlib.md5(b'weights').hexdigest()
    release = TABLE['uniformer_small_plus_in1k']._replace(md5=md5)
    monkeypatch.setattr(published, 'table', lambda: {'x': release})
    assert published.find(path) is None  # too small to be one
    monkeypatch.setattr(published, 'MD5_BYTES', range(100))
    assert published.find(path) is release


@pytest.mark.parametrize(
    'name, url',
    [
        (
            'uniformer_small_in1k',
            'https://huggingface.co/Sense-X/uniformer_image/resolve/main/'
            'uniformer_small_in1k.pth',
        ),
        (
            'uniformer_base_ls_in1k',
            'https://drive.google.com/file/d/'
            '10FnwzMVgGL8bPO3EMZ7oG4vDvqnPoBK5',
        ),
        ('upernet_hybrid_small', ''),
    ],
)
def test_where_to_get_a_file(name, url):
    assert TABLE[name].url == url
