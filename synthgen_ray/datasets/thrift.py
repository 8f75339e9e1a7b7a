"""Structures in Thrift's compact protocol, read and written without knowing their names.

What is read and written back is the same bytes. Only what a Parquet footer holds is known: no sets and no maps.
Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from typing import Any, NamedTuple

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12
NUMBERS = (I16, I32, I64)
LONG = 15  # of a list's short size: its size follows


class Field(NamedTuple):
    kind: int
    value: Any  # a number, bytes, `Elements` or a `Struct`; of a truth value nothing: its kind says it


class Elements(NamedTuple):
    kind: int
    values: list[Any]


Struct = dict[int, Field]  # by the fields' numbers, which grow


def read_struct(data: bytes) -> Struct:
    """Raises: ValueError, for a kind that is not known; IndexError, for data that is too short."""
    return _Reader(data).struct()


def write_struct(struct: Struct) -> bytes:
    written = bytearray()
    _write_struct(struct, written)
    return bytes(written)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while header := self._byte():
            step, kind = header >> 4, header & 15
            number = number + step if step else self._zigzag()
            fields[number] = Field(kind, None if kind in (TRUE, FALSE) else self._value(kind))
        return fields

    def _value(self, kind: int) -> Any:
        if kind in NUMBERS:
            return self._zigzag()
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.struct()
        if kind == LIST:
            header = self._byte()
            size, of = header >> 4, header & 15
            return Elements(of, [self._value(of) for _ in range(self._varint() if size == LONG else size)])
        if kind in (TRUE, FALSE, BYTE):  # in a list a truth value is a byte
            return self._byte()
        if kind == DOUBLE:
            return self._bytes(8)
        raise ValueError(f"values of kind {kind} are not known")

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte

    def _bytes(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)


def _write_struct(struct: Struct, into: bytearray) -> None:
    before = 0
    for number, field in struct.items():
        step = number - before
        if 0 < step < 16:
            into.append(step << 4 | field.kind)
        else:
            into.append(field.kind)
            _write_zigzag(number, into)
        if field.kind not in (TRUE, FALSE):
            _write(field.kind, field.value, into)
        before = number
    into.append(0)


def _write(kind: int, value: Any, into: bytearray) -> None:
    if kind in NUMBERS:
        _write_zigzag(value, into)
    elif kind == BINARY:
        _write_varint(len(value), into)
        into += value
    elif kind == STRUCT:
        _write_struct(value, into)
    elif kind == LIST:
        size = len(value.values)
        into.append(min(size, LONG) << 4 | value.kind)
        if size >= LONG:
            _write_varint(size, into)
        for element in value.values:
            _write(value.kind, element, into)
    elif kind == DOUBLE:
        into += value
    else:
        into.append(value)


def _write_varint(value: int, into: bytearray) -> None:
    while value > 0x7F:
        into.append(value & 0x7F | 0x80)
        value >>= 7
    into.append(value)


def _write_zigzag(value: int, into: bytearray) -> None:
    _write_varint(value << 1 if value >= 0 else (-value << 1) - 1, into)
