"""A folder of files that is made by and by: the rows of a generation, whoever makes them, however often it stops."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.errors import Conflict, JobError
from synthgen_ray.domain.params import OutputFormat
from synthgen_ray.jobs.batch import (
    MANIFEST,
    PLAN,
    RUN,
    SUCCESS,
    Manifest,
    Order,
    Place,
    as_begun,
    begin,
    check_ours,
    finish,
    make_file,
)
from synthgen_ray.synthesizers import GaussianCopula

ROWS, CHUNK = 2_300, 500
PAIR = ("Lima", "Rome")


@pytest.fixture(scope="module")
def model() -> GaussianCopula:
    table = pa.table({"city": ["Lima", "Rome", "Kiel", "Oslo"] * 25, "n": list(range(100))})
    fitted = GaussianCopula(seed=1).fit(table)
    fitted.chunk_rows = CHUNK
    return fitted


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(DiskArtifacts(tmp_path / "place"), "rows")


def an_order(**changes: object) -> Order:
    fields = {"model_sha256": "ab", "chunk_rows": CHUNK, "num_rows": ROWS, "seed": 7, "rows_per_file": 2 * CHUNK}
    return Order(**{**fields, **changes})


def made(model: GaussianCopula, order: Order, place: Place) -> Manifest:
    return finish(place, order, {name: make_file(model, order, name, place) for name in order.files})


def test_who_goes_on_need_not_know_the_seed_that_was_drawn(place):
    begin(place, an_order(seed=7), resume=False)

    order = as_begun(place, an_order(seed=8), any_seed=True)

    assert order == an_order(seed=7)
    assert begin(place, order, resume=True) is None


def test_who_goes_on_may_name_the_shares_in_another_order(model, place):
    order, other = (an_order(distribution={"city": dict.fromkeys(cities, 0.5)}) for cities in (PAIR, reversed(PAIR)))
    name = next(iter(order.files))
    begin(place, order, resume=False)
    undisturbed = make_file(model, order, name, place)
    place.remove(name)

    again = as_begun(place, other, any_seed=False)

    assert begin(place, again, resume=True) is None
    assert make_file(model, again, name, place) == undisturbed


def test_what_a_killed_run_left_unfinished_goes_with_the_end_and_nothing_else(place, model, tmp_path):
    order = an_order()
    begin(place, order, resume=False)
    name, folder = next(iter(order.files)), tmp_path / "place" / "rows"
    left = [folder / f".{file}.{'a' * 32}" for file in (name, PLAN, RUN, MANIFEST)]
    strange = folder / ".notes.txt"
    for file in (*left, strange):
        file.touch()

    made(model, order, place)

    assert [file for file in left if file.exists()] == []
    assert (strange.exists(), place.has(name), place.has(SUCCESS)) == (True, True, True)


def test_where_nothing_was_begun_the_seed_stays(place):
    assert as_begun(place, an_order(seed=8), any_seed=True) == an_order(seed=8)


def test_files_are_named_by_their_chunks_and_hold_all_rows():
    files = an_order().files

    assert list(files) == [
        "rows-00000000-00000001.parquet",
        "rows-00000002-00000003.parquet",
        "rows-00000004-00000004.parquet",
    ]
    assert [plan.num_rows for plan in files.values()] == [1000, 1000, 300]
    assert [plan.num_rows for plan in an_order(rows_per_file=1).files.values()] == [500, 500, 500, 500, 300]


@pytest.mark.parametrize("form", list(OutputFormat))
def test_the_rows_are_those_of_a_generation(model, place, form):
    order = an_order(format=form, conditions={"city": ["Lima", "Rome"]})
    manifest = made(model, order, place)
    contents = [place.read(file.name) for file in manifest.files]

    expected = model.sample(ROWS, seed=7, conditions={"city": ["Lima", "Rome"]}).to_pylist()
    match form:
        case OutputFormat.PARQUET:
            rows = [row for content in contents for row in pq.read_table(io.BytesIO(content)).to_pylist()]
        case OutputFormat.JSONL:
            rows = [json.loads(line) for content in contents for line in content.decode().splitlines()]
        case OutputFormat.CSV:
            assert all(content.startswith(b"city,n\n") for content in contents)
            lines = [line.split(",") for content in contents for line in content.decode().splitlines()[1:]]
            rows = [{"city": city, "n": int(n)} for city, n in lines]
    assert rows == expected


def test_the_manifest_tells_what_is_there(model, place):
    manifest = made(model, an_order(), place)

    assert Manifest.model_validate_json(place.read(MANIFEST)) == manifest
    assert place.read(SUCCESS) == b""
    assert sum(file.num_rows for file in manifest.files) == ROWS
    assert all(file.size_bytes == len(place.read(file.name)) for file in manifest.files)


@pytest.mark.parametrize("form", list(OutputFormat))
def test_a_file_that_is_there_stays_as_it_is(model, place, form):
    order = an_order(format=form)
    name = list(order.files)[1]
    undisturbed = make_file(model, order, name, place)
    path = place.artifacts.path("rows", name)
    before = path.stat()

    again = make_file(model, order, name, place)

    assert again == undisturbed
    assert path.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("form", list(OutputFormat))
@pytest.mark.parametrize("kept", [0, 0.5, 1])  # of its bytes; all but the last one
def test_a_file_that_is_cut_short_is_made_again(model, place, form, kept):
    order = an_order(format=form)
    name = list(order.files)[1]
    undisturbed = make_file(model, order, name, place)
    whole = place.read(name)
    place.write(name, whole[: int(kept * (len(whole) - 1))])

    again = make_file(model, order, name, place)

    assert again == undisturbed
    assert place.read(name) == whole


def test_line_ends_within_a_cell_are_no_rows(place):
    table = pa.table({"text": ['a "quoted"\nline', "b\n\n", "c"] * 20, "n": list(range(60))})
    model = GaussianCopula(seed=1).fit(table)
    order = an_order(format="csv", chunk_rows=model.chunk_rows, num_rows=30)
    (name,) = order.files
    make_file(model, order, name, place)
    before = place.artifacts.path("rows", name).stat()

    make_file(model, order, name, place)

    assert place.read(name).count(b"\n") > 31
    assert place.artifacts.path("rows", name).stat().st_mtime_ns == before.st_mtime_ns


class LongWinded(GaussianCopula):
    """Its rows are more than Arrow holds."""

    def sample_chunk(self, *_asked):
        pa.array(["what Arrow says quotes the cell"]).cast(pa.int64())


def test_rows_that_are_too_large_for_arrow_are_a_reason_and_leave_no_file(place):
    order = an_order()
    name = next(iter(order.files))

    with pytest.raises(JobError) as failed:
        make_file(LongWinded(seed=1), order, name, place)

    assert failed.value.code == "rows_too_large"
    assert not place.has(name)


class TestBegin:
    def test_an_empty_folder_is_taken(self, place):
        assert begin(place, an_order(), resume=False) is None
        assert place.has(PLAN)

    def test_one_that_was_begun_is_gone_on_with_only_when_that_is_asked_for(self, place):
        begin(place, an_order(), resume=False)

        with pytest.raises(Conflict, match="--resume"):
            begin(place, an_order(), resume=False)
        assert begin(place, an_order(), resume=True) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"seed": 8, "num_rows": 1},
            {"model_sha256": "cd"},
            {"format": "csv"},
            {"rows_per_file": 1},
            {"csv_safe": True},
            {"release": "synthgen-ray 9.0"},
        ],
        ids=lambda change: ", ".join(change),
    )
    def test_another_order_does_not_go_on_there_and_is_told_what_differs(self, place, change):
        begin(place, an_order(), resume=False)

        with pytest.raises(Conflict) as refused:
            begin(place, an_order(**change), resume=True)

        assert set(refused.value.detail.partition("another ")[2].partition(":")[0].split(", ")) == change.keys()

    def test_of_two_runs_of_one_order_the_later_one_goes_on(self, model, place):
        earlier, later = place, Place(place.artifacts, place.location)
        begin(earlier, an_order(), resume=False)
        check_ours(earlier, an_order())

        begin(later, an_order(), resume=True)

        with pytest.raises(Conflict) as refused:
            check_ours(earlier, an_order())
        assert refused.value.code == "begun"
        check_ours(later, an_order())
        made(model, an_order(), later)
        with pytest.raises(Conflict) as refused:
            check_ours(earlier, an_order())
        assert refused.value.code == "begun"
        assert not place.has(RUN)

    def test_one_that_another_seed_has_begun_since_it_was_looked_at_is_left_to_nobody(self, model, tmp_path):
        """Whose files these are would be told by no plan that stands."""
        name = next(iter(an_order().files))

        class Meanwhile(DiskArtifacts):
            def writing(self, location, written):
                if written == PLAN:
                    make_file(model, an_order(seed=8), name, Place(DiskArtifacts(tmp_path), location))
                return super().writing(location, written)

        place = Place(Meanwhile(tmp_path), "rows")

        for resume in (False, True):
            with pytest.raises(Conflict) as refused:
                begin(place, an_order(), resume=resume)
            assert refused.value.code == "begun"

    def test_a_plan_that_was_damaged_is_not_gone_on_with(self, place):
        place.write(PLAN, b"{")

        with pytest.raises(Conflict, match="damaged"):
            begin(place, an_order(), resume=True)

    @pytest.mark.parametrize("resume", [False, True])
    def test_rows_whose_plan_is_gone_are_not_taken_for_those_of_another_seed(self, model, place, resume):
        begin(place, an_order(), resume=False)
        made(model, an_order(), place)
        for name in (PLAN, MANIFEST, SUCCESS):
            place.remove(name)

        with pytest.raises(Conflict, match="another folder"):
            begin(place, an_order(seed=8), resume=resume)
        assert not place.has(PLAN)

    @pytest.mark.parametrize("left", [MANIFEST, SUCCESS])
    def test_the_end_of_another_run_is_not_taken_for_that_of_this_one(self, place, left):
        place.write(left, b"")

        with pytest.raises(Conflict, match="another folder"):
            begin(place, an_order(), resume=False)

    def test_one_that_is_done_has_nothing_left_to_do(self, model, place):
        begin(place, an_order(), resume=False)
        manifest = made(model, an_order(), place)

        assert begin(place, an_order(), resume=True) == manifest
        assert begin(place, an_order(release="synthgen-ray 9.0"), resume=True) == manifest

    def test_one_that_was_done_by_another_release_is_not_made_whole_by_this_one(self, model, place):
        begin(place, an_order(), resume=False)
        manifest = made(model, an_order(), place)
        place.remove(manifest.files[1].name)

        with pytest.raises(Conflict, match="another release"):
            begin(place, an_order(release="synthgen-ray 9.0"), resume=True)
        assert place.has(SUCCESS)

    @pytest.mark.parametrize("harm", ["missing", "cut", "without a manifest", "with half a manifest"])
    def test_one_that_was_done_and_is_not_whole_any_more_is_made_whole_again(self, model, place, harm):
        order = an_order()
        begin(place, order, resume=False)
        manifest = made(model, order, place)
        contents = {name: place.read(name) for name in order.files}
        match harm:
            case "missing":
                place.remove(manifest.files[1].name)
            case "cut":
                place.write(manifest.files[1].name, contents[manifest.files[1].name][:-1])
            case "without a manifest":
                place.remove(MANIFEST)
            case "with half a manifest":
                place.write(MANIFEST, place.read(MANIFEST)[:100])

        assert begin(place, order, resume=True) is None
        assert not place.has(SUCCESS)
        assert begin(place, order, resume=True) is None

        assert made(model, order, place) == manifest
        assert {name: place.read(name) for name in order.files} == contents
        assert begin(place, order, resume=True) == manifest
