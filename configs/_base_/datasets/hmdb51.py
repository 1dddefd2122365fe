# HMDB51, split 1, as frames (recipes: video_classification/exp/*_hmdb51_*).
# Lists have lines `FOLDER FRAMES LABEL`. The authors read frames by OpenCV and
# never swapped channels: the published weights are for BGR.
_base_ = 'ucf101.py'

for __loader, __ann_file in (
    (_base_.train_dataloader, 'train.txt'),
    (_base_.val_dataloader, 'val.txt'),
    (_base_.test_dataloader, 'val.txt'),
):
    __loader.dataset.pop('delimiter')
    __loader.dataset.update(
        type='mmuniformer.FrameDataset',
        data_root='data/hmdb51',
        ann_file=__ann_file,
        data_prefix=dict(img='frames'),
        filename_tmpl='img_{:05}.jpg',
    )
    # In place of the video's reader.
    __loader.dataset.pipeline[:3] = [
        __loader.dataset.pipeline[1],
        dict(type='RawFrameDecode'),
        dict(type='mmuniformer.ReverseChannels'),
    ]
