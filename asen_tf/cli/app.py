"""Serves a catalogue that asen-index filled: an HTTP API, and a page on which it can be tried.

    asen-app --store=faiss:/data/vectors --model=export/models/asen --images=/data/photographs

It answers at http://127.0.0.1:8080 and, unless --host says otherwise, to this machine alone. With
--api_key_file, or the key itself in the environment variable ASEN_API_KEY, it answers to those who
bring the key. /openapi.json says what can be requested. A model at a server may be away for a
while; what needs no model goes on.
"""

import logging
import os
import socket
import sys
from pathlib import Path

from absl import flags

from asen_client.cli import program
from asen_client.cli.embedders import define_flags
from asen_client.core import addresses
from asen_client.core.limits import MAX_PIXELS
from asen_tf.cli import remote, text_model

_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_MEGABYTE = 1_000_000
_KEY_VARIABLE = "ASEN_API_KEY"


def main() -> int | None:
    given = flags.FLAGS
    addresses.check_free(given.host, given.port)
    try:
        from asen_tf import app
        from asen_tf.catalogue import Catalogue
        from asen_tf.embedders import TextEmbedder
        from asen_tf.photographs import Source
    except ImportError as error:
        print(f'error: needs pip install "asen_tf[app]" ({error})', file=sys.stderr)
        return 1
    images = Path(given.images)
    if not images.is_dir():
        raise FileNotFoundError(f"{images}: no such folder; expected that of the photographs")
    if given["vocabulary"].present:  # a wrong one is told now, and not to visitors
        from asen_tf.text import Vocabulary

        Vocabulary.load(*given.vocabulary)
    key = _key(given.api_key_file)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    with text_model.opened(given) as embedder, Catalogue(given.store, read_only=True) as catalogue:
        model = app.Model(embedder, catalogue.engine.fingerprint)
        _check(model)
        if isinstance(embedder, TextEmbedder):
            catalogue.text_model = embedder
        page = app.create_app(
            catalogue,
            model,
            Source(images, given.follow_links, remote.given_by(given)),
            title=given.title,
            hosts=given.allowed_hosts or names(given.host),
            limits=app.Limits(
                upload_bytes=round(given.max_upload_mb * _MEGABYTE),
                pixels=given.max_pixels,
                at_once=given.at_once,
            ),
            key=key,
            vocabulary=given.vocabulary,
        )
        _serve(page, given.host, given.port)
    return None


def _key(file: str | None) -> str | None:
    """That a file or the environment holds, where everyone on the machine would see a flag's."""
    from asen_tf.app import checked_key

    text = os.environ.get(_KEY_VARIABLE)
    if file is None:
        return None if text is None else checked_key(text, _KEY_VARIABLE)
    if text is not None:
        raise ValueError(f"expected either --api_key_file or {_KEY_VARIABLE}, got both")
    return checked_key(Path(file).read_text(encoding="utf-8"), file)


def _check(model) -> None:
    """Ends where the model is another than the store's; says so where it is away."""
    from asen_tf.app import Problem

    try:
        model.check()
    except Problem as problem:
        if problem.code != "model_away":
            raise ValueError(problem) from problem
        print(f"warning: {problem}", file=sys.stderr)


def _serve(page, host: str, port: int) -> None:
    """Answers until it is interrupted or terminated, then ends what is under way."""
    import uvicorn

    from asen_tf.web.connections import Protocol

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Opened here, so that what is printed is true.
    with socket.create_server((host, port), family=family) as listening:
        name = f"[{host}]" if ":" in host else host
        print(f"asen-app: http://{name}:{listening.getsockname()[1]}", flush=True)
        config = uvicorn.Config(
            page,
            log_level="warning",
            access_log=False,
            http=Protocol,
            server_header=False,
            limit_concurrency=512,
            timeout_graceful_shutdown=10,
        )
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            print("asen-app: ended")


def names(host: str) -> list[str]:
    """By which the page may be requested when it answers at `host`: local ones, or all."""
    if host in ("localhost", "::1"):
        return [*_LOCAL]
    return [*_LOCAL, host] if host.startswith("127.") else ["*"]


def run() -> None:
    flags.DEFINE_bool("follow_links", False, "Whether links may lead out of --images.")
    flags.DEFINE_string("store", None, "faiss:PATH, milvus:PATH.db or milvus:http://HOST:PORT.")
    define_flags()
    text_model.define_flag()
    flags.DEFINE_string("images", ".", "Folder of the photographs; no file outside of it is shown.")
    remote.define_flags()
    flags.DEFINE_string("host", "127.0.0.1", "Address to answer at; 0.0.0.0: the whole network.")
    flags.DEFINE_integer("port", 8080, "Port to answer at; 0: a free one.", 0, 65535)
    flags.DEFINE_string("api_key_file", None, "File of the key that requests have to bring.")
    flags.DEFINE_list("allowed_hosts", "", "Host names to answer to; default: as --host says.")
    flags.DEFINE_list(
        "vocabulary",
        ["fashion"],
        "What says which value in the words of a search: names or files, docs/labels.md.",
    )
    flags.DEFINE_string("title", "Find by attribute", "Heading of the page.")
    flags.DEFINE_float("max_upload_mb", 20.0, "Megabytes of a visitor's photograph at most.", 0.001)
    flags.DEFINE_integer("max_pixels", MAX_PIXELS, "Most pixels of a photograph.", lower_bound=1)
    flags.DEFINE_integer("at_once", 4, "How many searches run at the same time.", lower_bound=1)
    flags.mark_flag_as_required("store")
    program.run(main)


if __name__ == "__main__":
    run()
