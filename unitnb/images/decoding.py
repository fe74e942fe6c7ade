"""Files as pixels: what counts as an image, and the one way from its bytes to RGB of the asked size."""

import os
import struct
from pathlib import Path

import numpy as np

from .samples import UnreadableImageError

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")  # by content, not by name; no other decoder is tried
ENDINGS = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp"}  # of their files, in any case
PIXELS = 50_000_000  # of one image; the largest of ILSVRC2012 has 44 million
DEEP = ("I", "I;16", "I;16B", "I;16L")  # Pillow's modes of grey levels 0..65535
# Pillow raises these on bad bytes.
_BAD_BYTES = (OSError, ValueError, SyntaxError, EOFError, OverflowError, MemoryError, struct.error)


def is_image(name: str) -> bool:
    """Whether a name is that of an image. File managers leave other files, with a dot in front."""
    return os.path.splitext(name)[1].lower() in ENDINGS and not name.startswith(".")


def begins_as_image(path: Path) -> bool:
    """Whether a file begins with the mark of one of ``FORMATS``, whatever it is called."""
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError:
        return False
    marks = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
    bitmap = start[:2] == b"BM" and start[6:10] == bytes(4)  # two reserved fields, always zero
    return start.startswith(marks) or bitmap or (start[:4] == b"RIFF" and start[8:] == b"WEBP")


def decode(source, name: str, size: int, interpolation: str = "bilinear") -> np.ndarray:
    """A file, or its bytes, as RGB (size, size, 3) uint8, resized without crop.

    Photographs are turned upright, as their EXIF orientation says. Grey images of 16 bits are scaled to 8.
    Transparency is dropped, as Keras does.

    Raises
    ------
    UnreadableImageError
        If it is no image of ``FORMATS``, is damaged, or has more than ``PIXELS`` pixels.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(source, formats=FORMATS) as file:
            if file.width * file.height > PIXELS:  # known before anything is decompressed
                raise UnreadableImageError(
                    f"{name} ({file.width:,} x {file.height:,} pixels; at most {PIXELS:,} are read)"
                )
            image = ImageOps.exif_transpose(_of_eight_bits(file)).convert("RGB")
            if image.size != (size, size):
                image = image.resize((size, size), Image.Resampling[interpolation.upper()])
            return np.asarray(image)
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name} (no image)") from error
    except UnreadableImageError:
        raise
    except (*_BAD_BYTES, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(f"{name} ({error})") from error


def _of_eight_bits(image):
    """The image itself, or one of 16 bits as grey levels 0..255: Pillow's own conversion clips them."""
    from PIL import Image

    if image.mode not in DEEP:
        return image
    scaled = Image.fromarray(np.round(np.asarray(image) / 257).clip(0, 255).astype(np.uint8))
    scaled.info["exif"] = image.getexif().tobytes()
    return scaled
