"""Where a server is, and how it is reached: a wrong address, key or certificate is said to be that."""

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from synthgen_ray.client import ApiError, ClientError, ConnectionFailed, SynthGen
from tests.unit.client.conftest import Server


def test_an_address_that_leads_elsewhere_is_told():
    server = Server(httpx.Response(308, headers={"Location": "https://synthgen/api/projects"}))

    with pytest.raises(ApiError, match="leads to https://synthgen/api/projects: give the address") as refusal:
        server.client.list_projects()

    assert refusal.value.status == 308


def test_a_certificate_that_is_not_trusted_is_no_server_that_is_away():
    server = Server(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))

    with pytest.raises(ConnectionFailed, match=r"CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE"):
        server.client.list_projects()


@pytest.mark.parametrize("host", ["localhost", "synthgen"])
def test_the_certificates_of_the_environment_count_on_this_machine_too(monkeypatch, host):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")

    with pytest.raises(ClientError, match=r"SSL_CERT_FILE.*No such file"):
        SynthGen(f"https://{host}")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_no_proxy_for_the_wide_world_stands_before_this_machine(monkeypatch, host):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    threading.Thread(target=server.handle_request, daemon=True).start()

    with server, SynthGen(f"http://{host}:{server.server_port}") as client:
        assert client.is_ready()


class Ready(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize("url", ["", "synthgen", "ftp://synthgen", "http://", "http://synthgen:port"])
def test_what_is_no_address_is_said_to_be_none(url):
    with pytest.raises(ClientError, match="not the address of a server"):
        SynthGen(url)


@pytest.mark.parametrize("key", ["sg_\n", "schlüssel"])
def test_what_is_no_key_is_said_to_be_none(key):
    with pytest.raises(ClientError, match="not an API key"):
        SynthGen(api_key=key)
