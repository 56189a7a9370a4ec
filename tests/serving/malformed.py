"""Malformed requests from a seed: truncated, flipped, nested, oversized, mistyped, in every media type."""

import io
import json
import random
from collections.abc import Callable

import pyarrow as pa

from serving.exchange import ARROW, FLOATS, JSON
from serving.settings import Limits

_NUMBERS = [
    "0",
    "-0.0",
    "1e308",
    "-1e308",
    "1e-400",
    "1e999",
    "NaN",
    "Infinity",
    "-Infinity",
    "9" * 400,
    "0x10",
    "01",
    "",
]
_WRONG = ["null", "true", '"x"', '""', "{}", "[]", "[[]]", '"\\ud800"', '"\\u0000"', '{"a": 1}', '{"a": [1]}', "\u2028"]
_FIELDS = ["data", "history", "series_ids", "regime", "rows", "rate_hz", "waveforms", "spectra", "", "data "]


def _valid(rng: random.Random, path: str) -> str:
    if path == "/predict":
        rows = [[rng.gauss(5, 3) for _ in range(10)] for _ in range(rng.randint(1, 4))]
        return json.dumps({"data": rows, "series_ids": ["s"] * len(rows), "regime": [None] * len(rows)})
    return json.dumps({"rate_hz": 1_000, "waveforms": [[rng.gauss(0, 1) for _ in range(16)]]})


def _random_bytes(rng: random.Random, _: str) -> bytes:
    return rng.randbytes(rng.randint(0, 200))


def _truncated(rng: random.Random, path: str) -> bytes:
    text = _valid(rng, path)
    return text[: rng.randrange(len(text))].encode()


def _flipped(rng: random.Random, path: str) -> bytes:
    content = bytearray(_valid(rng, path).encode())
    for _ in range(rng.randint(1, 5)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def _nested(rng: random.Random, _: str) -> bytes:
    depth, opening = rng.choice([10, 1_000, 100_000]), rng.choice(["[", '{"data":', '{"a":['])
    return f'{{"{rng.choice(_FIELDS)}": {opening * depth}{rng.choice(["", "1" + "]" * depth])}'.encode()


def _odd_numbers(rng: random.Random, path: str) -> bytes:
    number = rng.choice(_NUMBERS)
    return _valid(rng, path).replace(rng.choice("0123456789"), number, rng.randint(1, 3)).encode()


def _wrong_types(rng: random.Random, _: str) -> bytes:
    rows = ", ".join(rng.choice([*_WRONG, *_NUMBERS, "[1, 2]", "[" + ", ".join(["1"] * 10) + "]"]) for _ in range(3))
    return f'{{"{rng.choice(_FIELDS)}": {rng.choice([f"[{rows}]", f"[[{rows}]]", rng.choice(_WRONG)])}}}'.encode()


def _duplicates(rng: random.Random, path: str) -> bytes:
    text = _valid(rng, path)
    again = f'"{rng.choice(_FIELDS)}": {rng.choice(_WRONG)}'
    return (text[:-1] + f", {again}, {again}}}").encode("utf-8", "surrogatepass")


def _large(rng: random.Random, _: str) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return b'{"data": [' + b",".join([b"[1,2,3,4,5,6,7,8,9,10]"] * 10_001) + b"]}"
    if kind == 1:
        return b" " * (9 * 2**20)
    if kind == 2:
        return b'{"data": [[' + b"1," * (Limits().body_bytes // 2 - 20) + b"1]]}"
    return b'{"data": ["' + b"x" * (Limits().body_bytes - 20) + b'"]}'


_STREAM = io.BytesIO()
_TABLE = pa.table({name: pa.array([1.0] * 20) for name in "abcdefghij"} | {"series": ["s"] * 20})
with pa.ipc.new_stream(_STREAM, _TABLE.schema) as _writer:
    _writer.write_table(_TABLE)


def _streams(rng: random.Random, _: str) -> bytes:
    content = bytearray(_STREAM.getvalue())
    for _byte in range(rng.randint(0, 4)):
        content[rng.randrange(len(content))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    return bytes(content[: rng.choice([len(content), rng.randrange(len(content))])])


Maker = Callable[[random.Random, str], bytes]
_MAKERS: tuple[Maker, ...] = (_random_bytes, _truncated, _flipped, _odd_numbers, _wrong_types, _duplicates, _streams)
_HEAVY: tuple[Maker, ...] = (_nested, _large)


def malformed(rng: random.Random) -> tuple[str, bytes, bytes, dict[str, str]]:
    """Path, body, query and headers, with _ for - in their names, of the next request."""
    path = rng.choice(["/predict", "/predict", "/predict", "/predict/waveforms"])
    maker = rng.choice(_HEAVY) if rng.random() < 0.01 else rng.choice(_MAKERS)
    kind = (
        ARROW
        if maker is _streams
        else rng.choice([JSON, JSON, JSON, JSON, ARROW, FLOATS, "text/plain", "", ";", "\xff"])
    )
    headers = {"content_type": kind, "accept": rng.choice(["*/*", JSON, ARROW, FLOATS, "", ",", "\xff;q=x"])}
    if rng.random() < 0.05:
        headers["content_length"] = rng.choice(["-1", "x", "9" * 30, ""])
    query = rng.choice([b"", b"", b"explain=true", b"explain=x", b"&&==", b"%ff=%zz"])
    return path, maker(rng, path), query, headers
