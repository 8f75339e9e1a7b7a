"""`/api/synthgen/model-types`: what can be trained, and its options."""

from fastapi import APIRouter

from synthgen_ray.api.auth import Viewer
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.models import ModelTypes, ModelTypeSchema
from synthgen_ray.domain.params import TRAIN_PARAMS, ModelType

router = APIRouter(prefix="/api/synthgen/model-types", tags=["model types"])

DESCRIPTIONS = {
    ModelType.CTGAN: ("CTGAN", "Conditional Tabular GAN - best for general tabular data"),
    ModelType.COPULAGAN: ("CopulaGAN", "Copula-based GAN - good for capturing correlations"),
    ModelType.TVAE: ("TVAE", "Tabular VAE - faster training, good for large datasets"),
    ModelType.GAUSSIAN_COPULA: ("Gaussian Copula", "Statistical copula model - fastest, good baseline"),
}


@router.get("", responses=problems())
async def list_model_types(_: Viewer) -> ModelTypes:
    """List the model types and the options of each, as a JSON Schema."""
    return ModelTypes(
        model_types=[
            ModelTypeSchema(
                id=model_type,
                name=name,
                description=description,
                config_schema=TRAIN_PARAMS[model_type].model_json_schema(),
            )
            for model_type, (name, description) in DESCRIPTIONS.items()
        ]
    )
