"""Photographs under folders and behind URLs, whatever servers do."""

import concurrent.futures
import shutil
import socket
import ssl
import subprocess
import time
import urllib.parse

import pytest

from asen_tf.photographs import Remote, Source, addresses, boxed

pytest.importorskip("urllib3")


@pytest.fixture
def source(shop, remote, tmp_path):
    """A function that makes a source, whose root has a.png and is not left."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a b.png").write_bytes(b"local")
    (tmp_path / "secret.png").write_bytes(b"secret")
    return lambda root=tmp_path / "root", **given: Source(root, remote=remote(**given))


def test_a_photograph_is_read_and_known_again(shop, source):
    for path in ("tagged/1.png", "dated/1.png", "plain/1.png"):
        reader, url = source(cache_bytes=0), f"{shop.url}/{path}"
        assert reader.version(url) is None  # only the server knows
        found = reader.read(url)
        assert found.content == shop.content and " " not in found.version
        assert reader.read(url, found.version) is None
        assert (shop.asked[-1][1] is None) == path.startswith("plain")
        # What a server says of another URL means nothing; the same bytes do.
        assert reader.read(f"{url}?size=2", found.version) is None
        assert shop.asked[-1][1] is None


def test_a_changed_photograph_is_read_again(shop, source):
    reader, url = source(), f"{shop.url}/tagged/1.png"
    before = reader.read(url).version
    shop.content = b"new"
    after = reader.read(url, before)
    assert after.content == b"new" and after.version != before


def test_what_was_read_is_kept_and_asked_about(shop, source):
    url = f"{shop.url}/tagged/1.png"
    first = source().read(url)
    assert source().read(url) == first
    assert [condition is None for _, condition in shop.asked] == [True, False]
    shop.content = b"new"
    assert source().read(url).content == b"new"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing", "no such file"),
        ("broken", "the server answers 500"),
        ("empty", "the file is empty"),
        ("huge", "more than 5000 bytes: it declares 1000000000000"),
        ("endless", "more than 5000 bytes"),
        ("cut", "cut off"),
        ("round", "more than 5 redirections"),
        ("to/ftp://a/b.png", "expected a URL http:// or https://"),
        ("to/file:///etc/hostname", "expected a URL http:// or https://"),
        ("to/", "redirects to nowhere"),
    ],
)
def test_what_servers_do_is_explained(shop, source, path, message):
    with pytest.raises(ValueError, match=message):
        source(max_bytes=5000).read(f"{shop.url}/{path}")


@pytest.mark.parametrize("path", ["silent", "drip", "headers"])
def test_a_slow_server_is_left(shop, source, path):
    began = time.monotonic()
    with pytest.raises(ValueError, match="not there in the time"):
        source(seconds=0.3).read(f"{shop.url}/{path}")
    assert time.monotonic() - began < 1.5


def test_a_busy_server_is_asked_again(shop, source, monkeypatch):
    monkeypatch.setattr("asen_tf.photographs.source._PAUSE", 0.01)
    with pytest.raises(ValueError, match="answers 503, in 2 attempts"):
        source(attempts=2).read(f"{shop.url}/busy")
    shop.asked.clear()
    assert source(attempts=3).read(f"{shop.url}/busy").content == shop.content


def test_a_dead_host_is_given_up(source):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    reader = source()
    for n in range(20):
        with pytest.raises(ValueError, match="nothing answers there"):
            reader.read(f"{url}/{n}.png")
    with pytest.raises(ValueError, match="did not give 20 photographs in a row"):
        reader.read(f"{url}/20.png")


def test_a_host_that_answers_now_and_then_is_not_given_up(shop, source):
    reader = source()
    for n in range(30):
        with pytest.raises(ValueError, match="answers 500|no such file"):
            reader.read(f"{shop.url}/{'nothing' if n == 15 else 'broken'}")
    assert reader.read(f"{shop.url}/plain").content == shop.content


def test_threads_read_side_by_side(shop, source):
    reader = source(threads=8)
    urls = [f"{shop.url}/plain/{n}.png" for n in range(40)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert {found.content for found in pool.map(reader.read, urls)} == {shop.content}


def test_redirections_are_followed(shop, source):
    found = source().read(f"{shop.url}/to/{shop.url}/to//plain/1.png")
    assert found.content == shop.content


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "::1",
    "fe80::1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_inside_of_networks_are_known(address):
    assert not addresses.is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_known(address):
    assert addresses.is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::1]"])
def test_the_inside_of_a_network_is_not_read(shop, source, host):
    with pytest.raises(ValueError, match="no public address; --allow_private_addresses"):
        source(allow_private=False).read(f"http://{host}:{shop.server_port}/plain")
    assert shop.asked == []


def test_nor_where_a_public_server_leads_there(shop, source, monkeypatch):
    """`shop.test` is taken for public; its name means nothing to the system."""
    real = addresses.public_addresses

    def resolved(host, port):
        return ["127.0.0.1"] if host == "shop.test" else real(host, port)

    monkeypatch.setattr("asen_tf.photographs.http.public_addresses", resolved)
    public = f"http://shop.test:{shop.server_port}"
    reader = source(allow_private=False)
    assert reader.read(f"{public}/plain").content == shop.content
    shop.asked.clear()
    with pytest.raises(ValueError, match=r"127\.0\.0\.1, no public address"):
        reader.read(f"{public}/to/{shop.url}/plain")
    assert len(shop.asked) == 1  # which was asked for the redirection


def test_certificates_are_checked_by_name(shop, source, monkeypatch, tmp_path):
    """And not by the address that the name was found to mean."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl, which makes a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop.test"]
    command += ["-addext", "subjectAltName=DNS:shop.test", "-days", "2"]
    command += ["-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    shop.socket = context.wrap_socket(shop.socket, server_side=True)
    monkeypatch.setattr("asen_tf.photographs.http.public_addresses", lambda *_: ["127.0.0.1"])
    reader = source(allow_private=False)
    with pytest.raises(ValueError, match="certificate cannot be trusted"):
        reader.read(f"https://shop.test:{shop.server_port}/plain")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    reader = source(allow_private=False)
    assert reader.read(f"https://shop.test:{shop.server_port}/plain").content == shop.content
    with pytest.raises(ValueError, match="certificate cannot be trusted"):
        reader.read(f"https://other.test:{shop.server_port}/plain")


def test_a_proxy_would_hide_addresses(shop, source, monkeypatch):
    monkeypatch.setenv("http_proxy", shop.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ValueError, match="the proxy of http_proxy hides the address of shop.test"):
        source(allow_private=False).read("http://shop.test/plain")
    assert source().read("http://shop.test/plain/1.png").content == shop.content
    assert shop.asked == [("http://shop.test/plain/1.png", None)]


def test_files_are_read_by_path_and_by_url(source, tmp_path):
    reader = source()
    root = (tmp_path / "root").as_uri()
    for name in (
        "a b.png",
        f"{root}/a%20b.png",
        f"{root}/a%20b.png".replace("//", "//localhost", 1),
    ):
        found = reader.read(name)
        assert found.content == b"local" and found.version == reader.version(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../secret.png", "leaves the data root"),
        ("file:///etc/hostname", "leaves the data root"),
        ("file:a", "no such file"),
        ("file://host/a.png", "expected file:///PATH"),
        ("ftp://host/a.png", "ftp:// is not read; expected a path, https://"),
        ("simplecache::file:///etc/hostname", "no such file"),
        ("http://", "with a host"),
        ("http://a" + "b" * 70 + ".test/", "no URL|no such host"),
        ("http://shop.test:99999/", "no URL|[Pp]ort"),
        ("http://[::1", "no URL|Invalid IPv6"),
    ],
)
def test_bad_names_are_explained(source, name, message):
    reader = source()
    with pytest.raises(ValueError, match=message):
        reader.read(name)
    assert reader.version(name) is None


def test_a_secret_beside_the_root_stays_one(source, tmp_path):
    with pytest.raises(ValueError, match="leaves the data root"):
        source().read((tmp_path / "secret.png").as_uri())


def test_paths_may_follow_a_url(shop, source):
    reader = source(f"{shop.url}/plain/")
    assert reader.read("shirts/ä 1.png").content == shop.content
    assert urllib.parse.unquote(shop.asked[0][0]) == "/plain/shirts/ä 1.png"
    for name in ("../tagged", "/tagged", "file:///etc/hostname"):
        with pytest.raises(ValueError, match="leaves the data root|root on this machine"):
            reader.read(name)


def test_object_stores_are_read_by_fsspec(source, monkeypatch):
    registry = pytest.importorskip("fsspec.registry")
    from fsspec.implementations.memory import MemoryFileSystem

    class Store(MemoryFileSystem):
        protocol = ("s3",)
        store, pseudo_dirs = {}, [""]

        @classmethod
        def _strip_protocol(cls, path):
            return "/" + path.removeprefix("s3://").lstrip("/")

    monkeypatch.setitem(registry._registry, "s3", Store)
    Store().pipe("/bucket/a b.png", b"shirt")
    reader = source(max_bytes=100)
    found = reader.read("s3://bucket/a b.png")
    assert found.content == b"shirt"
    assert reader.read("s3://bucket/a b.png", found.version) is None
    Store().pipe("/bucket/a b.png", b"other")
    assert reader.read("s3://bucket/a b.png", found.version).content == b"other"
    Store().pipe("/bucket/large.png", bytes(101))
    for name, message in (("large", "more than 100 bytes: it declares 101"), ("none", "no such")):
        with pytest.raises(ValueError, match=message):
            reader.read(f"s3://bucket/{name}.png")


def test_a_missing_package_is_named(source, monkeypatch):
    pytest.importorskip("fsspec")
    monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
    with pytest.raises(ValueError, match="needs pip install fsspec gcsfs"):
        source().read("gs://bucket/a.png")


def test_a_box_is_part_of_the_mark(source):
    found = source().read("a b.png")
    assert boxed(found, None).mark == found.version
    assert boxed(found, (0.0, 0.0, 9.0, 9.0)).mark == f"{found.version} 0 0 9 9"


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"attempts": 0}, {"seconds": 0}])
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Remote(**wrong)
