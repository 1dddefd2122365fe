"""Small videos and folders of frames for the tests of mmaction2."""

import cv2
import numpy as np

VIDEO = [
    dict(type='DecordInit'),
    dict(type='mmuniformer.DenseSample', clip_len=4, frame_interval=2),
    dict(type='DecordDecode'),
]
FRAMES = [
    dict(type='UniformSample', clip_len=4),
    dict(type='RawFrameDecode'),
    dict(type='mmuniformer.ReverseChannels'),
]
PACK = [
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
# What may lie where a video should be.
JUNK = {'empty': b'', 'text': b'no video\n' * 20, 'zeros': bytes(5000)}


def pictures(count=12, height=32, width=64):
    """Frames of a bar that moves, blue first; each has its own grey."""
    for index in range(count):
        frame = np.full((height, width, 3), 10 + 15 * index, np.uint8)
        frame[: height // 2, :, 0] = 250
        yield frame


def write_video(path, count=12):
    """An MPEG-4 file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = cv2.VideoWriter_fourcc(*'mp4v')
    writer = cv2.VideoWriter(str(path), kind, 25, (64, 32))
    for frame in pictures(count):
        writer.write(frame)
    writer.release()


def write_frames(folder, count=12, template='img_{:05}.jpg'):
    """A JPEG for each frame, from 1."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(pictures(count), 1):
        cv2.imwrite(str(folder / template.format(number)), frame)


def videos(root, names=('a', 'b', 'c'), split='train'):
    """Videos and their list; the label is the place in the list."""
    for name in names:
        write_video(root / split / f'{name}.mp4')
    lines = [f'{name}.mp4,{label}' for label, name in enumerate(names)]
    (root / f'{split}.csv').write_text('\n'.join(lines) + '\n')
    return dict(
        type='mmuniformer.ClipDataset',
        data_root=str(root),
        ann_file=f'{split}.csv',
        data_prefix=dict(video=split),
        pipeline=VIDEO + PACK,
        test_mode=split != 'train',
    )


def folders(root, names=('a', 'b', 'c'), split='train'):
    """Folders of frames and their list."""
    for name in names:
        write_frames(root / 'frames' / name)
    lines = [f'{name} 12 {label}' for label, name in enumerate(names)]
    (root / f'{split}.txt').write_text('\n'.join(lines) + '\n')
    return dict(
        type='mmuniformer.FrameDataset',
        data_root=str(root),
        ann_file=f'{split}.txt',
        data_prefix=dict(img='frames'),
        pipeline=FRAMES + PACK,
        test_mode=split != 'train',
    )
