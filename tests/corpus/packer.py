# SPDX-License-Identifier: GPL-3.0-or-later
"""Chunk data for the corpus: compression by the system's own libraries."""

import ctypes

NONE, LZO, LZ4, ZSTD = range(4)

_lzo = ctypes.CDLL("liblzo2.so.2")
_lz4 = ctypes.CDLL("liblz4.so.1")
_zstd = ctypes.CDLL("libzstd.so.1")
_lzo.lzo1x_1_compress.argtypes = [
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_size_t),
    ctypes.c_void_p,
]
_zstd.ZSTD_compress.restype = ctypes.c_size_t
_zstd.ZSTD_compress.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.c_int,
]
_zstd.ZSTD_createCCtx.restype = ctypes.c_void_p
_zstd.ZSTD_freeCCtx.argtypes = [ctypes.c_void_p]
_zstd.ZSTD_CCtx_setParameter.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
_zstd.ZSTD_CCtx_loadDictionary.restype = ctypes.c_size_t
_zstd.ZSTD_CCtx_loadDictionary.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_zstd.ZSTD_compress2.restype = ctypes.c_size_t
_zstd.ZSTD_compress2.argtypes = [ctypes.c_void_p] + _zstd.ZSTD_compress.argtypes[:4]

_LZO_WORK = 16384 * ctypes.sizeof(ctypes.c_void_p)
_ZSTD_CONTENT_SIZE_FLAG, _ZSTD_CHECKSUM_FLAG = 200, 201


def _room(data):
    return ctypes.create_string_buffer(len(data) * 2 + 1024)


def lzo(data):
    """LZO1X-1, with its end marker."""
    out, length = _room(data), ctypes.c_size_t()
    work = ctypes.create_string_buffer(_LZO_WORK)
    _lzo.lzo1x_1_compress(data, len(data), out, ctypes.byref(length), work)
    return out.raw[: length.value]


def lz4(data):
    """One block."""
    out = _room(data)
    length = _lz4.LZ4_compress_default(data, out, len(data), len(out))
    return out.raw[:length]


def zstd(data, level=3):
    """One frame."""
    out = _room(data)
    length = _zstd.ZSTD_compress(out, len(out), data, len(data), level)
    return out.raw[:length]


def zstd_frame(data, sized=True, checked=False, dictionary=b""):
    """One frame whose header says more or less than usual."""
    context, out = _zstd.ZSTD_createCCtx(), _room(data)
    _zstd.ZSTD_CCtx_setParameter(context, _ZSTD_CONTENT_SIZE_FLAG, sized)
    _zstd.ZSTD_CCtx_setParameter(context, _ZSTD_CHECKSUM_FLAG, checked)
    if dictionary:
        _zstd.ZSTD_CCtx_loadDictionary(context, dictionary, len(dictionary))
    length = _zstd.ZSTD_compress2(context, out, len(out), data, len(data))
    _zstd.ZSTD_freeCCtx(context)
    return out.raw[:length]


def pack(codec, data):
    """Stored bytes of a chunk, by the codec's id."""
    return (bytes, lzo, lz4, zstd)[codec](data)
