"""Draws where a trained model looks, what it finds, and how it learned.

asen-visualize --workdir=runs/asen --output=runs/asen/pictures
asen-visualize --workdir=runs/asen --report=runs/asen/report.html
asen-visualize --workdir=runs/asen --figures=projector && tensorboard --logdir=runs/asen

--figures takes names, of this package and of others (docs/figures.md); a report has all that the
model has. "projector" writes the attributes' spaces for TensorBoard.
"""

from absl import app, flags

from asen_client.cli import program
from asen_tf.core.choices import SPLITS


def main() -> None:
    from asen_tf.figures import visualize

    given = flags.FLAGS
    if not given.output and not given.report and list(given.figures) != ["projector"]:
        raise app.UsageError("name a folder for pictures with --output, or a page with --report")
    files = visualize(
        given.workdir,
        given.figures,
        given.output or None,
        report=given.report or None,
        split=given.split,
        attributes=given.attributes,
        attribute=given.attribute,
        photographs=given.photographs,
        results=given.results,
        images=given.images,
        data=given.data_root,
        skip_bad=given.skip_bad,
        follow_links=given.follow_links,
    )
    print("\n".join(map(str, files)))


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_string("output", "", "Folder to write pictures to.")
    flags.DEFINE_string("report", "", "HTML file to write: pictures, tables and configuration.")
    flags.DEFINE_list("figures", "", "Figures to draw; default: the quick ones, in a report all.")
    flags.DEFINE_enum("split", "test", SPLITS, "Split whose photographs are shown.")
    flags.DEFINE_list("attributes", "", "Attributes that are shown; default: all.")
    flags.DEFINE_string("attribute", "", "Attribute to show large; default: the first.")
    flags.DEFINE_integer("photographs", 6, "How many photographs a picture shows, a row each.", 1)
    flags.DEFINE_integer("results", 6, "How many results a row of the retrieval grid shows.", 1)
    flags.DEFINE_integer("images", 1000, "Most images that are searched and laid out.", 4)
    flags.DEFINE_string("data_root", "", "Folder of the run's data, if it moved after training.")
    flags.DEFINE_bool("skip_bad", False, "Whether to drop bad rows of the run's data.")
    flags.DEFINE_bool("follow_links", False, "Whether links may lead out of the data's root.")
    flags.mark_flag_as_required("workdir")
    program.run(main)


if __name__ == "__main__":
    run()
