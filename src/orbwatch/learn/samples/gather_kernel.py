"""Compiled copying of blocks of rows out of stored series: what a batch of windows is made of.

Blocks at random places wait for memory, not for the processor, so each is asked for while earlier ones are copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_AHEAD = 4  # blocks between asking and copying; 1 to 8 measure alike
_LINE = 64  # bytes that come from memory at once
_BYTE = ir.IntType(8).as_pointer()
_INT = ir.IntType(32)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [index])


@intrinsic
def _prefetch(_typing, array, index):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Ask for the line that holds array[index] (1-d)."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.bitcast(_address(context, builder, signature.args[0], *args), _BYTE)
        kind = ir.FunctionType(ir.VoidType(), [_BYTE, _INT, _INT, _INT])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")  # type: ignore[no-untyped-call]
        builder.call(function, [place, _INT(0), _INT(3), _INT(1)])  # to read, soon again, data
        return context.get_dummy_value()

    return types.void(array, types.intp), code


@intrinsic
def _copy(_typing, target, at, source, begin, count):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """target[at : at + count] = source[begin : begin + count], both 1-d, contiguous, of one type."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        into = _address(context, builder, signature.args[0], args[0], args[1])
        out_of = _address(context, builder, signature.args[2], args[2], args[3])
        size = context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype))
        cgutils.raw_memcpy(builder, into, out_of, args[4], size)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp, types.intp), code


@njit(cache=True, nogil=True)
def gather_at(series, first, steps, at, out):  # type: ignore[no-untyped-def]
    """out[at[i]] = series[first[i] : first[i] + steps], for (rows, c) series of any type and out (n, steps, c).

    Both are C contiguous and of one type; every block lies within the series and out (the caller checks).
    """
    columns = series.shape[1]
    block = steps * columns
    line = max(1, _LINE // series.itemsize)
    source = series.reshape(-1)
    target = out.reshape(-1)
    for i in range(len(first)):
        if i + _AHEAD < len(first):
            begin = first[i + _AHEAD] * columns
            for j in range(0, block, line):
                _prefetch(source, begin + j)  # type: ignore[call-arg]
        _copy(target, at[i] * block, source, first[i] * columns, block)  # type: ignore[call-arg]


@njit(cache=True, nogil=True)
def gather_rows(series, first, steps, out):  # type: ignore[no-untyped-def]
    """out[i] = series[first[i] : first[i] + steps]: as `gather_at`, in order."""
    gather_at(series, first, steps, np.arange(len(first)), out)
