"""A model's file holds nothing of a row, and one that was touched is refused."""

import json
import zipfile

import numpy as np
import pytest
import safetensors.numpy

from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.model_file import CARD, WEIGHTS
from tests.unit.synthesizers.conftest import RARE, given_model

K = 5


@pytest.fixture(scope="module", params=[ModelType.COPULAGAN, ModelType.TVAE, ModelType.GAUSSIAN_COPULA])
def file(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.synthgen"
    given_model(request.param).save(path)
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


def test_it_is_a_stored_zip_of_two_members(file):
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()

    assert [member.filename for member in members] == [CARD, WEIGHTS]
    assert all(member.compress_type == zipfile.ZIP_STORED for member in members)


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


def numbers_in(part) -> list[float]:
    if isinstance(part, dict | list):
        return [number for one in (part.values() if isinstance(part, dict) else part) for number in numbers_in(one)]
    return [float(part)] if isinstance(part, int | float) else []


def set_at(*path_and_value):
    *path, last, value = path_and_value

    def change(card):
        for step in path:
            card = card[step]
        card[last] = value

    return change


TOUCHES = {
    "another version": set_at("version", 2),
    "another format": set_at("format", "else"),
    "an unknown type": set_at("model_type", "gan"),
    "an extra key": set_at("surprise", 1),
    "an extra key in a codec": set_at("codec", "columns", 2, "surprise", 1),
    "an extra option": set_at("config", "surprise", 1),
    "a wrong option": set_at("config", "min_category_count", 0),
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
}


@pytest.mark.parametrize("change", TOUCHES.values(), ids=TOUCHES.keys())
def test_a_touched_card_is_refused(touch, change):
    assert refused(touch(card=change))


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


@pytest.mark.parametrize(
    "members",
    [{"model.pkl": b"x"}, {"../../evil": b"x"}, {WEIGHTS: None}, {CARD: None}, {CARD: b"{}"}, {WEIGHTS: b"junk"}],
    ids=str,
)
def test_other_members_are_refused(touch, members):
    assert refused(touch(members=members))


def test_compression_is_refused(touch):
    assert refused(touch(compression=zipfile.ZIP_DEFLATED))


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
