import subprocess
import sys

AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from synthgen_ray.synthesizers.columns import personal, text

together = Barrier(2)

def first_words(find, *part):
    together.wait()
    return len(find(*part)) > 0

with ThreadPoolExecutor(2) as both:
    names, texts = both.submit(first_words, personal._words, "first"), both.submit(first_words, text._words)
print(names.result(), texts.result())
"""


def test_threads_need_names_and_texts_for_the_first_time_at_once():
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=60)

    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")
