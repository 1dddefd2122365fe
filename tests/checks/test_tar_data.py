"""What is in tar files is checked as what is in folders."""

import subprocess

import pytest

from mmuniformer.checks.every_sample import check_all

from .common import classification, config, errors, picture, write_folders

pytest.importorskip('mmpretrain')


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return write_folders(tmp_path / 'in')


def pack(folder):
    """A tar file of a folder, as the root of a data set."""
    path = folder.parent / 'all.tar'
    command = ['tar', '-C', str(folder), '-cf', str(path), '.']
    subprocess.run(command, check=True)
    return f'tar://{path}'


def said(cfg, root):
    """What is wrong in all files, by kind, without the place."""
    found = check_all(cfg, ('train',), workers=1)['findings']
    return [
        (one['kind'], one['level'], text.replace(str(root), 'ROOT'))
        for one in found
        for text in one['examples']
    ]


def test_a_whole_tar_file_is_good(folder):
    cfg = classification(pack(folder))
    assert not errors(cfg)
    done = check_all(cfg, ('train',), workers=1)
    assert not done['findings']
    assert done['data'][0]['counts'] == dict(a=2, b=2, c=2)
    assert done['files'] == done['data'][0]['samples'] == 6


def test_faults_have_the_words_of_those_in_folders(folder):
    (folder / 'train/a/0.jpg').write_bytes(b'\xff\xd8 no picture')
    broken = picture(folder / 'train/b/0.jpg')
    broken.write_bytes(broken.read_bytes()[:-60])
    picture(folder / 'train/d/0.jpg')  # of no class
    root = pack(folder)
    wanted = said(classification(folder), folder)
    assert said(classification(root), root) == wanted
    assert len(wanted) >= 3


def test_a_list_of_what_is_not_there(folder):
    text = 'a/0.jpg 0\nnowhere.jpg 1\nb/0.jpg 7\n'
    (folder.parent / 'list.txt').write_text(text)
    options = dict(
        ann_file=str(folder.parent / 'list.txt'), data_prefix='train',
        metainfo=dict(classes=['a', 'b', 'c']),
    )  # fmt: skip
    root = pack(folder)
    missing, label = errors(classification(root, **options), ('train',))
    assert missing == errors(classification(folder, **options), ('train',))[
        0
    ].replace(str(folder), root)
    assert 'label 7, but 3 classes' in label


def test_a_tar_file_that_is_cut_off(folder):
    path = pack(folder).removeprefix('tar://')
    with open(path, 'r+b') as file:
        file.truncate(5000)
    [line] = errors(classification(f'tar://{path}'), ('train',))
    assert 'all.tar' in line and 'cut off' in line


def test_videos_and_frames(tmp_path, monkeypatch):
    pytest.importorskip('mmaction')
    from ..hosts.videos import write_frames, write_video

    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    write_video(tmp_path / 'in/good.mp4')
    (tmp_path / 'in/bad.mp4').write_bytes(b'no video')
    write_frames(tmp_path / 'in/good', 4)
    write_frames(tmp_path / 'in/bad', 3)
    root = pack(tmp_path / 'in')
    (tmp_path / 'v.txt').write_text('good.mp4,0\nbad.mp4,1\nno.mp4,2\n')
    (tmp_path / 'f.txt').write_text('good 4 0\nbad 4 1\n')
    for recipe, file, prefix, bad in (
        ('uniformer_toy', 'v.txt', 'video', ['no.mp4', 'bad.mp4']),
        ('uniformer_xxs_toy', 'f.txt', 'img', ['00004.jpg']),
    ):
        cfg = config(f'video/{recipe}.py')
        dataset = cfg.train_dataloader.dataset
        dataset.update(
            data_root='', ann_file=str(tmp_path / file), data_prefix=dict()
        )
        dataset.data_prefix[prefix] = root
        if prefix == 'img':
            dataset.filename_tmpl = 'img_{:05}.jpg'
        texts = [text for _, _, text in said(cfg, root) if 'ROOT' in text]
        assert len(texts) == len(bad), texts
        assert all(name in text for name, text in zip(bad, texts))
