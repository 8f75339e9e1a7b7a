from synthgen_ray.domain.lifecycle import JOB_MOVES, MODEL_STATUS_OF, JobStatus


def test_a_final_status_is_never_left_and_every_other_can_end():
    assert {status for status in JobStatus if status.is_final} == {JobStatus.COMPLETED, JobStatus.FAILED}
    assert all(JobStatus.FAILED in moves for status, moves in JOB_MOVES.items() if not status.is_final)


def test_every_status_of_a_training_says_what_its_model_is():
    assert set(MODEL_STATUS_OF) == set(JobStatus) == set(JOB_MOVES)
