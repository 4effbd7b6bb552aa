"""Draws where a trained model looks, what it finds, and how it learned.

asen-visualize --workdir=runs/asen --output=runs/asen/pictures
asen-visualize --workdir=runs/asen --report=runs/asen/report.html
asen-visualize --workdir=runs/asen --figures=projector && tensorboard --logdir=runs/asen

Figures: attention, retrieval, reranking, tsne, similarity, channels, curves; a report has them all.
"projector" writes the attributes' spaces for TensorBoard.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from absl import app, flags

from asen_tf.cli import program
from asen_tf.data.manifest import SPLITS


def visualize(
    workdir: str,
    output: str = "",
    split: str = "test",
    attributes: Sequence[str] = (),
    photographs: int = 6,
    results: int = 6,
    data_root: str = "",
    *,
    figures: Sequence[str] = (),
    attribute: str = "",
    images: int = 1000,
    report: str = "",
) -> list[Path]:
    """Writes the pictures of a run.

    Args:
      workdir: of the run.
      output: folder to write pictures to; "": none are written.
      split: whose photographs are shown.
      attributes: those that are shown; none: all.
      photographs: rows of a picture.
      results: columns of a retrieval grid.
      data_root: where the data lies now; "": where it lay in training.
      figures: names of `asen_tf.figures.FIGURES`, or "projector"; none: the quick ones, and of a
        report all.
      attribute: the one that is shown large; "": the first of `attributes`.
      images: at most so many are embedded.
      report: HTML file to write; "": none.

    Returns:
      The files.

    Raises:
      ValueError: an unknown figure or attribute, or one that this run has nothing for.
    """
    from asen_tf import figures as drawn
    from asen_tf.embedder import load as load_embedder
    from asen_tf.run_data import load_manifest
    from asen_tf.workdir import Workdir

    drawn.check_names(figures)
    run = Workdir(workdir)
    choice = drawn.Choice(split, tuple(attributes), attribute, photographs, results, images)
    embedder = load_embedder(workdir)
    source = drawn.Source(run, embedder, load_manifest(run, data_root), choice)
    files = drawn.write_projector(source) if drawn.PROJECTOR in figures else []
    if output:
        files += _write_pictures(source, figures, Path(output))
    if report:
        named = [name for name in figures if name != drawn.PROJECTOR]
        files.append(drawn.write_report(source, named, report))
    return files


def _write_pictures(source, figures, output) -> Iterator[Path]:
    from asen_tf import viz
    from asen_tf.figures import DEFAULT, PROJECTOR, pictures

    for name in figures or DEFAULT:
        if name != PROJECTOR:
            for picture in pictures(source, name, wanted=name in figures):
                path = output / f"{picture.name}{picture.suffix}"
                yield viz.save(picture.figure, path)


def main() -> None:
    given = flags.FLAGS
    if not given.output and not given.report and list(given.figures) != ["projector"]:
        raise app.UsageError("name a folder for pictures with --output, or a page with --report")
    files = visualize(
        given.workdir,
        given.output,
        given.split,
        given.attributes,
        given.photographs,
        given.results,
        given.data_root,
        figures=given.figures,
        attribute=given.attribute,
        images=given.images,
        report=given.report,
    )
    print("\n".join(str(file) for file in files))


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_string("output", "", "Folder to write pictures to.")
    flags.DEFINE_string("report", "", "HTML file to write: pictures, tables and configuration.")
    flags.DEFINE_list(
        "figures", "", "Which ones, see above; default: the quick ones, and all in a report."
    )
    flags.DEFINE_enum("split", "test", SPLITS, "Whose photographs are shown.")
    flags.DEFINE_list("attributes", "", "Those that are shown; default: all.")
    flags.DEFINE_string(
        "attribute", "", "The one that t-SNE and reranking show large; default: the first of these."
    )
    flags.DEFINE_integer("photographs", 6, "Rows of a picture.", 1)
    flags.DEFINE_integer("results", 6, "Columns of a retrieval grid.", 1)
    flags.DEFINE_integer(
        "images", 1000, "At most so many images are searched and laid out, evenly spread.", 4
    )
    flags.DEFINE_string(
        "data_root", "", "Where the data lies now, if not where it lay in training."
    )
    flags.mark_flag_as_required("workdir")
    program.run(main)


if __name__ == "__main__":
    run()
