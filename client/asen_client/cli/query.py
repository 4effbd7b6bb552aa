"""Says how similar photographs are in one attribute, and where a model looks for it.

asen-query --model=localhost:8500 --attribute=neckline a.jpg b.jpg --explain=out.png
asen-query --model=runs/asen --predict a.jpg b.jpg

--predict prints instead how probable the values of the attribute are, or those of all attributes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import app, flags

from asen_client.cli import library, program
from asen_client.cli.embedders import define_flags, opened

if TYPE_CHECKING:
    from asen_client.embedders import Embedder


_LEAST = 0.05  # a value that is less probable is not printed

# Of each photograph x1, y1, x2, y2 of the garment, or None for all of it; None: of none.
Boxes = Sequence[Sequence[str] | None] | None


def similarities(
    model: "Embedder", photographs: Sequence[str], attribute: str, boxes: Boxes = None
) -> list[str]:
    """Lines to print: of a pair the cosine; of more, each beside the first, a line for each."""
    vectors = model.embed(photographs, attribute, boxes)
    cosines = vectors[1:] @ vectors[0]
    if len(cosines) == 1:
        return [f"{cosines[0]:.4f}"]
    return [f"{cosine:7.4f}  {name}" for cosine, name in zip(cosines, photographs[1:], strict=True)]


def predictions(
    model: "Embedder", photographs: Sequence[str], attribute: str | None, boxes: Boxes = None
) -> list[str]:
    """Lines to print: of each photograph the attributes with their most probable values."""
    if attribute is None:
        found = model.predict_all(photographs, boxes)
    else:
        found = {attribute: model.predict(photographs, attribute, boxes)}
    width, lines = max(map(len, found)), []
    for n, photograph in enumerate(photographs):
        lines.append(photograph)
        for name, probabilities in found.items():
            order = (-probabilities[n]).argsort(kind="stable")
            shown = [v for v in order if probabilities[n, v] >= _LEAST] or order[:1]
            values = model.attributes[name].values
            said = (f"{values[v]} {probabilities[n, v]:.2f}" for v in shown)
            lines.append(f"  {name.ljust(width)}  {', '.join(said)}")
    return lines


def draw(
    model: "Embedder",
    photographs: Sequence[str],
    attribute: str,
    output: str,
    boxes: Boxes = None,
) -> None:
    """Writes a picture of what the model sees with attention and regions, a row for each."""
    from asen_client import images

    figures = library.module("figures", "--explain")
    drawn = library.module("figures.attention", "--explain")  # matplotlib takes a second
    seen = [
        images.read(images.Boxed(path, box, model.box_margin) if box else path)
        for path, box in zip(photographs, boxes or [None] * len(photographs), strict=True)
    ]
    attention, regions = model.explain(seen, attribute)
    figure = drawn.attention_grid(
        seen,
        [attribute],
        attention[:, None],
        regions[:, None],
        fit=model.fit,
    )
    figures.save(figure, output)


def main(photographs: Sequence[str]) -> None:
    given = flags.FLAGS
    if not given.attribute and not given.predict:
        raise app.UsageError("--attribute is required, unless --predict asks for all")
    if given.explain and not given.attribute:
        raise app.UsageError("--explain is of one attribute: name it with --attribute")
    fewest = 1 if given.explain or given.predict else 2
    if len(photographs) < fewest:
        raise app.UsageError(f"expected {fewest} or more photographs, got {len(photographs)}")
    boxes = [box or None for box in given.box] or None
    if boxes and len(boxes) != len(photographs):
        raise app.UsageError(f"expected --box for each of {len(photographs)}, got {len(boxes)}")
    with opened(given) as model:
        if given.predict:
            print("\n".join(predictions(model, photographs, given.attribute, boxes)))
        elif len(photographs) > 1:
            print("\n".join(similarities(model, photographs, given.attribute, boxes)))
        if given.explain:
            draw(model, photographs, given.attribute, given.explain, boxes)


def run() -> None:
    define_flags(default="localhost:8500")
    flags.DEFINE_string("attribute", None, "Attribute in which the photographs are compared.")
    flags.DEFINE_multi(
        flags.ListParser(),
        flags.CsvListSerializer(","),
        "box",
        [],
        "X1,Y1,X2,Y2 of the garment, in pixels; given again for each photograph, empty for all of "
        "it.",
    )
    flags.DEFINE_string("explain", None, "Picture of where the model looks: .png, .jpg or .webp.")
    flags.DEFINE_bool("predict", False, "Whether to print the values of photographs instead.")
    program.run(main, positional=True)


if __name__ == "__main__":
    run()
