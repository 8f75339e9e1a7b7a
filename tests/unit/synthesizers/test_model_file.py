"""A model's file holds nothing of a row, and one that was touched is refused."""

import errno
import json
import pickle
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from torch import AcceleratorError, OutOfMemoryError

from synthgen_ray.domain.errors import InvalidRequest, JobError
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer, load
from synthgen_ray.synthesizers.model_file import CARD, MOST_BYTES, WEIGHTS
from tests.unit.synthesizers import golden
from tests.unit.synthesizers.conftest import RARE, numbers_in

K = 5
# Archives and cards are read alike for all types: where only these are touched, one with a network and one without.
EITHER = pytest.mark.parametrize("file", [ModelType.CTGAN, ModelType.GAUSSIAN_COPULA], indirect=True)


@pytest.fixture(scope="module", params=list(ModelType))
def file(request, usual_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.synthgen"
    usual_model(request.param).save(path)
    return path


@pytest.fixture
def touch(file, tmp_path):
    """Rewrites the file: `card` and `tensors` change their member in place."""

    def touched(card=None, tensors=None, members=None, compression=zipfile.ZIP_STORED):
        with zipfile.ZipFile(file) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
        if card:
            parsed = json.loads(content[CARD])
            card(parsed)
            content[CARD] = json.dumps(parsed).encode()
        if tensors:
            parsed = safetensors.numpy.load(content[WEIGHTS])
            content[WEIGHTS] = safetensors.numpy.save(tensors(parsed))
        content |= members or {}
        path = tmp_path / "touched.synthgen"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, body in content.items():
                if body is not None:
                    archive.writestr(name, body)
        return path

    return touched


def refused(path) -> bool:
    with pytest.raises(JobError) as caught:
        load(path)
    return caught.value.code == "model_corrupt"


def test_a_copy_is_accepted(touch):
    assert load(touch()).sample(5, seed=1).num_rows == 5


def test_a_file_that_is_not_there_is_said_to_be_that(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "no.synthgen")


def lack_of_memory() -> RuntimeError:
    """As PyTorch says it where a machine has less than is asked for."""
    with pytest.raises(RuntimeError, match="allocate memory") as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    return caught.value


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (MemoryError(), MemoryError),
        (lack_of_memory(), MemoryError),
        (OutOfMemoryError("CUDA out of memory."), MemoryError),
        (AcceleratorError("CUDA error: unspecified launch failure"), AcceleratorError),
    ],
    ids=["memory", "memory for PyTorch", "memory of a GPU", "a broken GPU"],
)
@EITHER
def test_what_the_machine_lacks_is_no_fault_of_the_file(file, monkeypatch, error, raised):
    def fails(*_):
        raise error

    monkeypatch.setattr(Synthesizer, "sample_chunk", fails)

    with pytest.raises(raised):
        load(file)


def test_it_is_a_stored_zip_of_two_members(file):
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()

    assert [member.filename for member in members] == [CARD, WEIGHTS]
    assert all(member.compress_type == zipfile.ZIP_STORED for member in members)


@EITHER
def test_a_save_that_breaks_off_leaves_the_file_that_was_there(file, tmp_path, monkeypatch):
    def breaks_off(archive, member, content):
        archive.fp.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    model, kept = load(file), tmp_path / "model.synthgen"
    kept.write_bytes(b"an earlier one")
    monkeypatch.setattr(zipfile.ZipFile, "writestr", breaks_off)

    with pytest.raises(OSError, match="No space"):
        model.save(kept)

    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == {kept: b"an earlier one"}


@EITHER
def test_a_file_on_a_disk_that_fails_is_not_called_damaged(file, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(zipfile.ZipFile, "read", fails)

    with pytest.raises(OSError, match="Input/output error"):
        load(file)


@EITHER
@pytest.mark.parametrize("member", [CARD, WEIGHTS])
def test_a_model_that_would_be_refused_is_not_saved(file, tmp_path, monkeypatch, member):
    model = load(file)
    with zipfile.ZipFile(file) as archive:
        monkeypatch.setitem(MOST_BYTES, member, archive.getinfo(member).file_size - 1)

    with pytest.raises(JobError) as caught:
        model.save(tmp_path / "large.synthgen")

    assert caught.value.code == "model_too_large"
    assert not list(tmp_path.iterdir())


def test_it_holds_no_id_no_text_and_no_rare_value(file, table):
    content = file.read_bytes()

    for name in ("code", "name", "note"):
        assert not [text for text in table[name].drop_null().to_pylist() if text.encode() in content]
    assert RARE.encode() not in content


def test_it_holds_no_number_of_fewer_than_k_rows(file, table):
    with zipfile.ZipFile(file) as archive:
        card = json.loads(archive.read(CARD))
    weight = table["weight"].to_numpy().astype(float)

    assert not set(numbers_in(card)) & set(weight.tolist())


def set_at(*path_and_value):
    *path, last, value = path_and_value

    def change(card):
        for step in path:
            card = card[step]
        card[last] = value

    return change


NARROW = "dictionary<values={}, indices=int8, ordered=0>"
TOUCHES = {
    "another version": set_at("version", 2),
    "another format": set_at("format", "else"),
    "an unknown type": set_at("model_type", "gan"),
    "an extra key": set_at("surprise", 1),
    "an extra key in a codec": set_at("codec", "columns", 2, "surprise", 1),
    "an extra option": set_at("config", "surprise", 1),
    "a wrong option": set_at("config", "min_category_count", 0),
    "categories as numbers": set_at("codec", "columns", 2, "column_kind", "integer"),
    "categories as ids": set_at("codec", "columns", 2, "column_kind", "id"),
    "numbers as moments": set_at("codec", "columns", 9, "column_kind", "datetime"),
    "moments as numbers": set_at("codec", "columns", 11, "column_kind", "float"),
    "numbers in text of others": set_at(
        "codec", "columns", 6, "wrapped", {"arrow_type": "string", "blank": None, "decimals": 2}
    ),
    "an unknown codec": set_at("codec", "columns", 0, "kind", "pickle"),
    "an unknown type of column": set_at("codec", "columns", 2, "arrow_type", "extension<evil>"),
    "a count of none": set_at("codec", "columns", 2, "counts", 0, 0),
    "a category twice": set_at("codec", "columns", 2, "values", 0, "Oslo"),
    "columns of another name": set_at("codec", "columns", 2, "name", "town"),
    "a column twice": set_at("codec", "columns", 3, "name", "city"),
    "another order": lambda card: card["codec"]["columns"].reverse(),
    "a NaN": set_at("codec", "columns", 9, "form", "lower", float("nan")),
    "an infinity": set_at("codec", "columns", 9, "form", "upper", float("inf")),
    "text for a number": set_at("chunk_rows", "10"),
    "no chunk": set_at("chunk_rows", 0),
    "bits that are none": set_at("codec", "columns", 1, "seen", "bitmap", "%%%"),
    "no columns": set_at("codec", "columns", []),
    "a lower end above the upper": set_at("codec", "columns", 9, "form", "lower", 1e9),
    "days beyond all years": set_at("codec", "columns", 11, "form", "origin", 2**31),
    "ids in a narrow type": set_at("codec", "columns", 0, "arrow_type", NARROW.format("int64")),
    "numbers in a narrow type": set_at(
        "codec", "columns", 6, "wrapped", {"arrow_type": NARROW.format("int8"), "blank": None, "decimals": None}
    ),
    "more categories than its type has": lambda card: card["codec"]["columns"][2].update(
        arrow_type=NARROW.format("string"), values=[f"v{n}" for n in range(200)], counts=[9] * 200, offsets=[]
    ),
    "more rows than there are": set_at("codec", "columns", 2, "counts", 0, 10**400),
    "more nulls than there are": set_at("codec", "columns", 5, "nulls", 10**400),
    "fresh text in a narrow type": set_at("codec", "columns", 13, "arrow_type", NARROW.format("string")),
}


@EITHER
@pytest.mark.parametrize("change", TOUCHES.values(), ids=TOUCHES.keys())
def test_a_touched_card_is_refused(touch, change):
    assert refused(touch(card=change))


@pytest.mark.parametrize(
    ("model_type", "maps", "donor"),
    [
        (ModelType.GAUSSIAN_COPULA, {"modes": True, "marginal": False}, ModelType.CTGAN),
        (ModelType.CTGAN, {"modes": False, "marginal": True}, ModelType.GAUSSIAN_COPULA),
        (ModelType.CTGAN, {"modes": True, "marginal": True}, ModelType.GAUSSIAN_COPULA),
        (ModelType.COPULAGAN, {"modes": True, "marginal": False}, ModelType.CTGAN),
    ],
    ids=lambda part: str(part) if isinstance(part, ModelType) else None,
)
def test_numbers_of_another_type_of_model_are_refused(tmp_path, model_type, maps, donor):
    with zipfile.ZipFile(golden.file_of(donor)) as archive:
        given = {codec["name"]: codec for codec in json.loads(archive.read(CARD))["codec"]["columns"]}
    with zipfile.ZipFile(golden.file_of(model_type)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    card = json.loads(content[CARD])
    for codec in card["codec"]["columns"]:
        if codec["kind"] == "number":
            codec |= {name: codec[name] or given[codec["name"]][name] if kept else None for name, kept in maps.items()}
    with zipfile.ZipFile(tmp_path / "touched.synthgen", "w") as archive:
        archive.writestr(CARD, json.dumps(card))
        archive.writestr(WEIGHTS, content[WEIGHTS])

    assert refused(tmp_path / "touched.synthgen")


def first(tensors: dict) -> str:
    return max(tensors, key=lambda name: tensors[name].size)


TENSOR_TOUCHES = {
    "a NaN": lambda tensors: tensors[first(tensors)].reshape(-1).__setitem__(0, np.nan),
    "a missing one": lambda tensors: tensors.pop(first(tensors)) is None or tensors,
    "an extra one": lambda tensors: {**tensors, "extra": np.zeros(3, dtype=np.float32)},
    "another shape": lambda tensors: {**tensors, first(tensors): np.zeros((2, 2), dtype=np.float32)},
    "another precision": lambda tensors: {**tensors, first(tensors): tensors[first(tensors)].astype(np.float16)},
}


@pytest.mark.parametrize("change", TENSOR_TOUCHES.values(), ids=TENSOR_TOUCHES.keys())
def test_touched_weights_are_refused(touch, change):
    def in_place(tensors):
        copies = {name: tensor.copy() for name, tensor in tensors.items()}
        changed = change(copies)
        return changed if isinstance(changed, dict) else copies

    assert refused(touch(tensors=in_place))


@EITHER
@pytest.mark.parametrize(
    "members",
    [
        {"model.pkl": b"x"},
        {"../../evil": b"x"},
        {WEIGHTS: None},
        {CARD: None},
        {CARD: b"{}"},
        {CARD: b"[" * 100_000},
        {CARD: b'{"rows": ' + b"9" * 5000 + b"}"},
        {CARD: b"\xff\xfe"},
        {WEIGHTS: b"junk"},
        {WEIGHTS: (2**63).to_bytes(8, "little")},
        {WEIGHTS: (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4]}}'},
    ],
    ids=lambda members: str(members)[:60],
)
def test_other_members_are_refused(touch, members):
    assert refused(touch(members=members))


def test_a_pickle_in_place_of_the_weights_is_refused_and_never_run(touch, tmp_path):
    class Marked:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    assert refused(touch(members={WEIGHTS: pickle.dumps(Marked())}))
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(touch):
    path = touch()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(CARD, "{}")

    assert refused(path)


@pytest.mark.parametrize("member", [CARD, WEIGHTS])
def test_a_flipped_bit_in_a_member_is_refused(file, tmp_path, member):
    content = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        header, size = archive.getinfo(member).header_offset, archive.getinfo(member).file_size
    start = header + 30 + len(member)
    for place in np.linspace(start, start + size - 1, 12).astype(int):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(place) % 8
        (tmp_path / "flipped").write_bytes(flipped)
        assert refused(tmp_path / "flipped")


@EITHER
def test_a_flipped_bit_anywhere_is_refused_or_harmless(file, tmp_path):
    content, rng = file.read_bytes(), np.random.default_rng(3)
    refusals = 0
    for _ in range(30):
        flipped = bytearray(content)
        flipped[-int(rng.integers(1, 250))] ^= 1 << int(rng.integers(8))  # the zip's own directory
        (tmp_path / "flipped").write_bytes(flipped)
        refusals += not_harmless(tmp_path / "flipped")
    assert refusals > 5


def test_no_value_of_a_card_makes_the_reader_stumble(touch):
    """Any leaf becomes any other: the file is refused, or the model works."""
    rng, refusals = np.random.default_rng(4), 0
    for _ in range(25):
        refusals += not_harmless(touch(card=lambda card: replace_some_leaf(card, rng)))
    assert refusals > 8


def not_harmless(path) -> bool:
    try:
        model = load(path)
    except JobError as error:
        return error.code == "model_corrupt"
    for column in model.learned_columns:
        for asked in ASKED:
            with suppress(InvalidRequest, JobError):
                model.sample(2, seed=1, conditions={column.name: asked})
    return model.sample(5, seed=1).num_rows != 5


ASKED = [1, 0.5, True, "x", None, "2020-01-01", {"min": 0}, {"max": 1.5}, {"min": "1850-01-01"}]

ODD = [
    None, True, 0, -1, 2**62, 2**64, 10**400, 1.5, -1e300,
    "", "x", "int8", "string", "decimal128(99, 2)", "integer", "datetime", [], ["x"], {},
]  # fmt: skip


def replace_some_leaf(card, rng) -> None:
    part, parts = card, []
    while isinstance(part, dict | list) and part:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        parts.append((part, keys[int(rng.integers(len(keys)))]))
        part = part[parts[-1][1]]
    holder, key = parts[int(rng.integers(1, len(parts)))] if len(parts) > 1 else parts[0]
    holder[key] = ODD[int(rng.integers(len(ODD)))]


@pytest.mark.parametrize("offsets", [(20,), (24,), (20, 24)], ids=["stored", "whole", "both"])
def test_a_size_that_is_claimed_costs_no_memory(file, tmp_path, offsets):
    content = bytearray(file.read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # of the weights in the zip's directory
    for offset in offsets:
        content[entry + offset : entry + offset + 4] = (2**32 - 2**20).to_bytes(4, "little")
    (tmp_path / "claim").write_bytes(content)

    tracemalloc.start()
    assert refused(tmp_path / "claim")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_a_network_that_is_claimed_costs_no_memory(touch):
    def claim(card):
        for option in ("generator_dim", "decompress_dims"):
            if option in card["config"]:
                card["config"][option] = [2048] * 8

    path = touch(card=claim)
    with zipfile.ZipFile(path) as archive:
        claims = b"2048" in archive.read(CARD)
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak is what is held now
    before = held("VmRSS")

    assert not claims or refused(path)
    assert held("VmHWM") - before < 60 << 20  # the smallest of these networks has 130 MiB


def held(which: str) -> int:
    """Bytes of memory of this process: VmRSS now, VmHWM at most."""
    return int(Path("/proc/self/status").read_text().split(f"{which}:")[1].split()[0]) << 10


def test_a_bomb_is_refused_before_it_is_read(touch):
    assert refused(touch(members={CARD: b"{" + b" " * 50_000_000 + b"}"}, compression=zipfile.ZIP_DEFLATED))


def test_compression_is_refused(touch):
    assert refused(touch(compression=zipfile.ZIP_DEFLATED))


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path):
    (tmp_path / "folder").mkdir()

    with pytest.raises(IsADirectoryError):
        load(tmp_path / "folder")


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_a_truncated_file_is_refused(file, tmp_path, keep):
    (tmp_path / "cut").write_bytes(file.read_bytes()[:keep])

    assert refused(tmp_path / "cut")


def test_what_is_refused_is_not_quoted(touch):
    path = touch(card=set_at("chunk_rows", "a secret"))

    with pytest.raises(JobError) as caught:
        load(path)

    assert "secret" not in caught.value.detail
    assert caught.value.__cause__ is None
