"""Asks a server how alike photographs are in one respect, and where its model looks.

asen-query --server=localhost:8500 --attribute=neckline a.jpg b.jpg --explain=out.png
"""

from collections.abc import Sequence

import numpy as np
from absl import app, flags
from PIL import Image

from asen_tf.cli import program
from asen_tf.serving import Client
from asen_tf.serving.signatures import MODEL_NAME


def similarities(client: Client, photographs: Sequence[str], attribute: str) -> list[str]:
    """Lines to print: of a pair the cosine; of more, each beside the first, a line for each."""
    vectors = client.embed(photographs, attribute)
    cosines = vectors[1:] @ vectors[0]
    if len(cosines) == 1:
        return [f"{cosines[0]:.4f}"]
    return [f"{cosine:7.4f}  {name}" for cosine, name in zip(cosines, photographs[1:], strict=True)]


def draw(client: Client, photographs: Sequence[str], attribute: str, output: str) -> None:
    """Writes a picture of the photographs with attention and boxes, a row for each."""
    from asen_tf.figures import save
    from asen_tf.figures.attention import attention_grid  # matplotlib takes a second

    attention, boxes = client.explain(photographs, attribute)
    figure = attention_grid(
        [_pixels(path) for path in photographs], [attribute], attention[:, None], boxes[:, None]
    )
    save(figure, output)


def _pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def main(photographs: Sequence[str]) -> None:
    given = flags.FLAGS
    fewest = 1 if given.explain else 2
    if len(photographs) < fewest:
        raise app.UsageError(f"expected {fewest} or more photographs, got {len(photographs)}")
    client = Client(
        given.server,
        given.model,
        given.version,
        given.label,
        timeout=given.timeout,
        tls=given.tls,
        root_certificates=given.root_certificates,
        client_key=given.client_key,
        client_certificate=given.client_certificate,
    )
    with client:
        if len(photographs) > 1:
            print("\n".join(similarities(client, photographs, given.attribute)))
        if given.explain:
            draw(client, photographs, given.attribute, given.explain)


def run() -> None:
    flags.DEFINE_string("server", "localhost:8500", "host:port of its gRPC.")
    flags.DEFINE_string("attribute", None, "In what respect.")
    flags.DEFINE_string("explain", None, "Picture to write: .png, .jpg or .webp.")
    flags.DEFINE_string("model", MODEL_NAME, "Name that the model is served under.")
    flags.DEFINE_integer("version", None, "Of the model; none: the newest.", lower_bound=1)
    flags.DEFINE_string("label", None, "Of a version, such as stable; instead of --version.")
    flags.DEFINE_float("timeout", 60.0, "Seconds for each answer.", lower_bound=0.0)
    flags.DEFINE_bool("tls", False, "Encrypt; implied by the three below.")
    flags.DEFINE_string("root_certificates", None, "PEM file of the authorities to trust.")
    flags.DEFINE_string("client_key", None, "PEM file, where the server asks who calls.")
    flags.DEFINE_string("client_certificate", None, "PEM file that goes with --client_key.")
    flags.mark_flag_as_required("attribute")
    program.run(main, positional=True)


if __name__ == "__main__":
    run()
