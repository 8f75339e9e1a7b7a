"""What happens in a process that loads models."""

import json
import subprocess
import sys

from synthgen_ray.domain.params import ModelType
from tests.unit.synthesizers import golden

# A process that loads and draws from one of each type, twice: what is imported the first time runs code of ours.
LOADER = """
import json
import pickle
import sys

from synthgen_ray.synthesizers.base import load


def load_all():
    for file in sys.argv[1:]:
        load(file).sample(10, seed=1)


ran = []
load_all()
RUNS = ("pickle.find_class", "marshal.loads", "exec")
sys.addaudithook(lambda event, _: ran.append(event) if event in RUNS else None)
load_all()
by_models = list(ran)
pickle.loads(pickle.dumps(load))
print(json.dumps([by_models, ran, "torch._dynamo" in sys.modules]))
"""


def test_to_load_and_draw_from_one_runs_nothing_of_it_and_imports_no_compiler():
    files = [str(golden.file_of(model_type)) for model_type in ModelType]

    told = subprocess.run([sys.executable, "-c", LOADER, *files], check=True, stdout=subprocess.PIPE)

    by_models, by_a_pickle, has_compiler = json.loads(told.stdout)
    assert (by_models, by_a_pickle) == ([], ["pickle.find_class"])
    assert not has_compiler
