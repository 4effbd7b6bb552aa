"""The papers' tables as data: a row is an experiment and the slice of its embedding to score."""

import dataclasses
from collections.abc import Mapping, Sequence

from asen_tf.core.choices import MANIPULATION, SIMILARITY

ASEN = "asen"


@dataclasses.dataclass(frozen=True)
class Row:
    """One system of a table.

    Rows with the same model, argument and changes are one run, scored in different slices.

    Attributes:
      name: what the table calls it.
      model: folder below configs/ whose experiment it is; "": a random order, which trains nothing.
      argument: of the experiment file, as in configs/csn/synthetic.py:euclidean.
      changes: keys of the configuration that differ from the experiment's, dotted -> value.
      slice: of the embedding, which is scored, such as "global"; "": the whole one.
      note: what differs from the paper's row, where something does.
    """

    name: str
    model: str = ASEN
    argument: str = ""
    changes: Mapping[str, object] = dataclasses.field(default_factory=dict)
    slice: str = ""
    note: str = ""

    @property
    def run(self) -> str:
        """Name of the run, of letters, digits, - and _; "" where nothing is trained."""
        parts = [self.model, self.argument]
        parts += [f"{key.split('.')[-1]}-{value}" for key, value in sorted(self.changes.items())]
        return "_".join(part for part in parts if part)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of a paper.

    Attributes:
      title: its heading.
      protocol: of `asen-evaluate`.
      rows: in the paper's order, the worst first.
      published: data set -> name of a row -> overall value in percent.
      source: where the published numbers were taken from.
    """

    title: str
    protocol: str
    rows: Sequence[Row]
    published: Mapping[str, Mapping[str, float]]
    source: str


_FULL = "ASEN++"
_GLOBAL = "ASEN++ (global branch)"
_LOCAL = "ASEN++ (local branch)"
_DEEPFASHION = (
    "DeepFashion: as quoted in table 4 of Liu et al., Conditional Representation Learning for "
    "Customized Tasks (NeurIPS 2025)"
)
_OVERALL = {"FashionAI": 64.31, "DARN": 55.94, "DeepFashion": 9.64}
_TOTALS = "ASEN++: the overall values of Dong et al. (TIP 2021)"
_NOT_AT_HAND = "The papers' other values were not at hand"

TABLES = {
    "asen_baselines": Table(
        title="ASEN and its baselines (Ma et al., AAAI 2020; Dong et al., TIP 2021), MAP",
        protocol=SIMILARITY,
        rows=(
            Row("random", model=""),
            Row(
                "linear",
                model="linear",
                note="not in the papers: shrinkage LDA on the frozen backbone's features",
            ),
            Row("triplet network", model="triplet_net"),
            Row("CSN", model="csn", note="learned masks, cosines"),
            Row("ASEN", model="asen_aaai2020", note="the one-branch network of 2020"),
            Row(_GLOBAL, slice="global"),
            Row(_FULL),
        ),
        published={
            "FashionAI": {"random": 15.79, _FULL: _OVERALL["FashionAI"]},
            "DARN": {"random": 32.26, _FULL: _OVERALL["DARN"]},
            "DeepFashion": {
                "random": 3.38,
                "triplet network": 7.36,
                "CSN": 8.01,
                "ASEN": 8.74,
                _FULL: _OVERALL["DeepFashion"],
            },
        },
        source=f"{_DEEPFASHION}. {_TOTALS}. {_NOT_AT_HAND}.",
    ),
    "asen_ablation": Table(
        title="Parts of ASEN++ (Dong et al., TIP 2021), MAP",
        protocol=SIMILARITY,
        rows=(
            Row("random", model=""),
            Row("without ASA", changes={"model.spatial_attention": False}),
            Row("without ACA", changes={"model.channel_attention": False}),
            Row(_LOCAL, slice="local", note="trained beside the global one"),
            Row(_GLOBAL, slice="global", note="trained beside the local one"),
            Row(_FULL),
        ),
        published={data: {_FULL: value} for data, value in _OVERALL.items()},
        source=f"{_TOTALS}. {_NOT_AT_HAND}.",
    ),
    "localization": Table(
        title="Region of the local branch (Dong et al., TIP 2021), MAP",
        protocol=SIMILARITY,
        rows=(
            Row("ASEN_full", changes={"model.localization": "whole"}, note="the whole image"),
            Row(
                "ASEN_1",
                changes={"model.localization": "peak"},
                note="our reading: a fixed square around the peak of the attention",
            ),
            Row(
                "ASEN_2",
                changes={"model.localization": "largest"},
                note="our reading: the largest connected component alone",
            ),
            Row(_LOCAL, slice="local"),
            Row(_FULL),
        ),
        published={data: {_FULL: value} for data, value in _OVERALL.items()},
        source=f"{_TOTALS}. {_NOT_AT_HAND}.",
    ),
    "ak2018_manipulation": Table(
        title="Searches after a change (Ak et al., WACV 2018), top-k accuracy",
        protocol=MANIPULATION,
        rows=(
            Row("random", model=""),
            Row("classic", model="part_guided", argument="classic"),
            *(
                Row(argument.replace("_", " "), model="part_guided", argument=argument)
                for argument in ("without_parts_and_ranking", "without_parts")
            ),
            Row("part-guided", model="part_guided"),
            Row("AMNet", model="amnet", note="changes its embedding itself"),
            Row(_FULL, note="not in the paper"),
        ),
        published={},
        source="The paper's values were not at hand; its queries and gallery are fixed lists.",
    ),
}
