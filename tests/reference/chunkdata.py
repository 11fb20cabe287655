# SPDX-License-Identifier: GPL-3.0-or-later
"""Chunk data: the four codecs (8.1), by the system's own libraries.

Each decoder takes the stored bytes and the size that must come out, and
returns exactly so many bytes or raises Corrupt. A library that stops before the
end of its input, or that would start over behind it, is caught here.
"""

import ctypes

from errors import require

_lzo = ctypes.CDLL("liblzo2.so.2")
_lz4 = ctypes.CDLL("liblz4.so.1")
_zstd = ctypes.CDLL("libzstd.so.1")

_lzo.lzo1x_decompress_safe.restype = ctypes.c_int
_lzo.lzo1x_decompress_safe.argtypes = [
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_size_t),
    ctypes.c_void_p,
]
_lz4.LZ4_decompress_safe.restype = ctypes.c_int
_lz4.LZ4_decompress_safe.argtypes = [
    ctypes.c_char_p,
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.c_int,
]
_zstd.ZSTD_decompress.restype = ctypes.c_size_t
_zstd.ZSTD_decompress.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_char_p,
    ctypes.c_size_t,
]
_zstd.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
_zstd.ZSTD_findFrameCompressedSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
_zstd.ZSTD_isError.restype = ctypes.c_uint
_zstd.ZSTD_isError.argtypes = [ctypes.c_size_t]

# RFC 8878, 3.1.1. Skippable frames have other numbers, and so have the
# frames of before the standard, which the library may read as well.
_ZSTD_MAGIC = (0xFD2FB528).to_bytes(4, "little")


def _none(stored, size):
    require(len(stored) == size, f"{len(stored)} bytes without compression for {size}")
    return stored


def _unpack_lzo(stored, size):
    out = ctypes.create_string_buffer(size)
    length = ctypes.c_size_t(size)
    # Not zero also when input is left over (LZO_E_INPUT_NOT_CONSUMED).
    result = _lzo.lzo1x_decompress_safe(stored, len(stored), out, ctypes.byref(length), None)
    require(result == 0, f"lzo: error {result}")
    require(length.value == size, f"lzo: {length.value} bytes came out, not {size}")
    return out.raw


def _unpack_lz4(stored, size):
    out = ctypes.create_string_buffer(size)
    # Fails also when the block does not end where its input does.
    result = _lz4.LZ4_decompress_safe(stored, out, len(stored), size)
    require(result == size, f"lz4: {result} instead of {size} bytes")
    return out.raw


def _unpack_zstd(stored, size):
    require(stored[:4] == _ZSTD_MAGIC, "zstd: not a frame, or a skippable one")
    frame = _zstd.ZSTD_findFrameCompressedSize(stored, len(stored))
    require(not _zstd.ZSTD_isError(frame), "zstd: the frame does not end in the chunk")
    require(frame == len(stored), f"zstd: the frame has {frame} of {len(stored)} bytes")
    out = ctypes.create_string_buffer(size)
    result = _zstd.ZSTD_decompress(out, size, stored, len(stored))
    require(not _zstd.ZSTD_isError(result), "zstd: damaged, or more data than pages")
    require(result == size, f"zstd: {result} bytes came out, not {size}")
    return out.raw


# By id.
CODECS = (("none", _none), ("lzo", _unpack_lzo), ("lz4", _unpack_lz4), ("zstd", _unpack_zstd))


def unpack(codec, stored, size):
    """The data of a chunk; the codec's id must be known."""
    return CODECS[codec][1](stored, size)
