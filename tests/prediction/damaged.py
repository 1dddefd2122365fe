"""Ten files that look like pictures and are none, or not whole."""

import os
import shutil


def write(folder, picture):
    """Writes them; their names in order.

    Args:
        folder: Where to.
        picture: A whole JPEG file.
    """
    from PIL import Image

    jpeg = picture.read_bytes()
    image = Image.open(picture)
    image.save(folder / 'whole.png')
    png = (folder / 'whole.png').read_bytes()
    (folder / 'whole.png').unlink()
    image.save(folder / 'whole.tif')
    tif = (folder / 'whole.tif').read_bytes()
    (folder / 'whole.tif').unlink()
    image.save(folder / 'whole.webp')
    webp = (folder / 'whole.webp').read_bytes()
    (folder / 'whole.webp').unlink()
    middle = len(png) // 2
    contents = {
        'bad_cut.jpg': jpeg[: len(jpeg) // 2],
        'bad_cut.png': png[:middle],
        'bad_cut.tif': tif[: len(tif) // 2],
        'bad_cut.webp': webp[: len(webp) // 2],
        'bad_empty.jpg': b'',
        'bad_head.jpg': jpeg[:40],
        'bad_page.jpg': b'<!DOCTYPE html><html>Not found</html>',
        'bad_sum.png': png[:middle] + b'\0\0\0\0' + png[middle + 4 :],
        'bad_zeros.bmp': bytes(5000),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    os.symlink(folder / 'nowhere', folder / 'bad_link.jpg')
    return sorted([*contents, 'bad_link.jpg'])


def copy(folder, picture, count):
    """Copies a picture some times; numbered."""
    for number in range(count):
        shutil.copy(picture, folder / f'{number:03}.jpg')
