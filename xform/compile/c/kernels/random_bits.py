"""Streams of random bits: Philox 4x64-10 of the keys of a batch, one by one, as in `xform.ops.random.philox`."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from xform.compile.c.kernels.lanes import define, start_of
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Value, View, c_strides
from xform.core.jaxpr import Eqn
from xform.ops.random.philox import MULTIPLIERS, ROUNDS, WEYL
from xform.ops.random.random_bits import COUNTER, KEY

PHILOX = f"""
static void xf_philox(const uint64_t *key, const uint64_t *counter, char *out, long bytes) {{
    uint64_t at[4] = {{counter[0], counter[1], counter[2], counter[3]}};
    while (bytes > 0) {{
        uint64_t now[4] = {{at[0], at[1], at[2], at[3]}}, low_key = key[0], high_key = key[1];
        for (int round = 0; round < {ROUNDS}; round++) {{
            unsigned __int128 first = (unsigned __int128){MULTIPLIERS[0]}ULL * now[0];
            unsigned __int128 second = (unsigned __int128){MULTIPLIERS[1]}ULL * now[2];
            now[0] = (uint64_t)(second >> 64) ^ now[1] ^ low_key, now[1] = (uint64_t)second;
            now[2] = (uint64_t)(first >> 64) ^ now[3] ^ high_key, now[3] = (uint64_t)first;
            low_key += {WEYL[0]}ULL, high_key += {WEYL[1]}ULL;
        }}
        long size = bytes < 32 ? bytes : 32;
        __builtin_memcpy(out, now, size);
        out += size, bytes -= size;
        for (int place = 0; place < 4 && !++at[place]; place++) continue;
    }}
}}
"""


def whole(emit: Emitter, eqn: Eqn, args: Sequence[Value], places: Sequence[View | None]) -> list[Value] | None:
    """A call for each key; to NumPy's rule if the bytes of a word lie the other way round."""
    aval, (place,) = eqn.outputs[0].aval, places
    if sys.byteorder != "little" or not all(isinstance(n, int) for n in aval.shape):
        return None
    key, counter = (emit.contiguous(x) for x in args)
    lanes = math.prod(key.shape[:-1])
    out = place if place is not None and place.contiguous else emit.buffer(aval.shape, aval.dtype)
    if not math.prod(aval.shape):
        return [out]
    define(emit, PHILOX)
    each = math.prod(aval.shape) // lanes
    flat = [x.like((lanes, n), c_strides((lanes, n))) for x, n in ((key, KEY), (counter, COUNTER), (out, each))]
    with emit.loop(lanes) as i:
        starts = [start_of(x.index(0, i)) for x in flat]
        emit.line(f"xf_philox({starts[0]}, {starts[1]}, (char *)({starts[2]}), {each * aval.dtype.itemsize});")
    return [out]
