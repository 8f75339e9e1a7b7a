"""What is said of a wrong request."""

import pytest
from pydantic import ValidationError

from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.params import DrawParams, ModelType
from synthgen_ray.domain.validation import MOST_ADVISED, invalid_request, parse_train_params


@pytest.mark.parametrize(
    ("model_type", "config", "said"),
    [
        (ModelType.CTGAN, {"epoch": 3}, "config.epoch: is not known here; did you mean epochs?"),
        (ModelType.CTGAN, {"query": 3}, "config.query: is not known here; known are "),
        (ModelType.GAUSSIAN_COPULA, {"zzz": 3}, "config.zzz: is not known here; known are "),
    ],
)
def test_an_unknown_option_is_told_from_those_that_there_are(model_type, config, said):
    with pytest.raises(InvalidRequest) as refusal:
        parse_train_params(model_type, config)

    assert refusal.value.detail.startswith(said)


def test_a_thousand_unknown_options_are_told_and_not_all_of_them_advised_on():
    with pytest.raises(InvalidRequest) as refusal:
        parse_train_params(ModelType.CTGAN, {f"discriminator_deca{i}": 1 for i in range(1000)})

    advised = [error for error in refusal.value.errors if "did you mean" in error.message]
    assert (len(refusal.value.errors), len(advised)) == (1000, MOST_ADVISED)


def test_the_first_fault_of_a_list_of_values_is_all_that_is_looked_for():
    with pytest.raises(ValidationError) as one:
        DrawParams.model_validate({"conditions": {"age": [[]]}})
    with pytest.raises(ValidationError) as many:
        DrawParams.model_validate({"conditions": {"age": [[]] * 1000}})

    assert many.value.error_count() == one.value.error_count()


def test_what_must_be_an_object_is_said_without_the_name_of_a_class():
    with pytest.raises(ValidationError) as error:
        SchemaCorrection.model_validate({"columns": {"sex": "text"}})

    assert invalid_request(error.value.errors()).detail == "columns.sex: must be an object"
