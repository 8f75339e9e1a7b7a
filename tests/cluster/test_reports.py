"""Reports in a process of their own, which may be lost, and is stopped when nobody wants it any more."""

from tests.servers import wait_until

ROWS = {"num_rows": 100_000, "seed": 5}  # so many that its process is there for seconds


def test_a_report_whose_process_is_killed_succeeds_as_if_nothing_had_happened(
    client, server, dataset, ready_model, tmp_path
):
    def page_of(report_id: str) -> bytes:
        assert client.wait_for_report(report_id, timeout_s=120)["status"] == "succeeded"
        return client.download_report(report_id, tmp_path / report_id, "json").read_bytes()

    disturbed = client.create_report(dataset["project_id"], ready_model, **ROWS)
    server.kill("ray::report ")  # as soon as it is there
    undisturbed = client.create_report(dataset["project_id"], ready_model, **ROWS)

    assert page_of(disturbed["id"]) == page_of(undisturbed["id"])
    attempts = server.data_dir / "artifacts/jobs" / disturbed["id"]
    assert (attempts / "2/report.html").is_file()


def test_a_report_that_is_cancelled_stops(client, server, dataset, ready_model):
    report = client.create_report(dataset["project_id"], ready_model, num_rows=1_000_000)
    wait_until(lambda: server.processes("ray::report "), "it runs")

    client.cancel_job(report["id"])

    server.wait_for_end_of("ray::report ")
    shown = client.get_report(report["id"])
    assert (shown["status"], shown["error"]["code"]) == ("failed", "cancelled")
