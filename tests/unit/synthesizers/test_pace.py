import math

from synthgen_ray.synthesizers.pace import Pace


def test_losses_that_are_no_numbers_are_not_shown():
    told = []
    pace = Pace(told.append, max_seconds=None)

    pace.after_step(0, 0, epochs=1, steps=1, losses={"generator": math.nan, "discriminator": 0.5, "kl": math.inf})

    assert [progress.losses for progress in told] == [{"discriminator": 0.5}]
