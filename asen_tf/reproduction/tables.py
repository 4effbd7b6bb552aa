"""The papers' tables: a row is an experiment, the slice of its embedding to score, its figures."""

import dataclasses
from collections.abc import Mapping, Sequence

from asen_tf.core.choices import MANIPULATION, SIMILARITY, WITH_VALUES

ASEN, PART_GUIDED = "asen", "part_guided"


@dataclasses.dataclass(frozen=True)
class Row:
    """One system of a table.

    Rows with the same model, argument and changes are one run, scored in different slices.

    Attributes:
      name: what the table calls it.
      model: folder below configs/ whose experiment it is; "": a random order, which trains nothing.
      argument: of the experiment file, as in configs/csn/synthetic.py:euclidean.
      changes: keys of the configuration that differ from the experiment's, dotted -> value.
      global_alone: ASEN without the stages that train its local branch.
      slice: of the embedding, which is scored, such as "global"; "": all that losses have trained.
      printed: where its figures stand: a source of published.csv -> what the row is called there.
      note: what differs from the paper's row, where something does.
    """

    name: str
    model: str = ASEN
    argument: str = ""
    changes: Mapping[str, object] = dataclasses.field(default_factory=dict)
    global_alone: bool = False
    slice: str = ""
    printed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    note: str = ""

    @property
    def run(self) -> str:
        """Name of the run, of letters, digits, - and _; "" where nothing is trained."""
        parts = [self.model, self.argument, "global_alone" if self.global_alone else ""]
        for key, value in sorted(self.changes.items()):
            parts.append(f"{key.removeprefix('model.').replace('.', '-')}-{value}")
        return "_".join(part for part in parts if part)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of a paper.

    Attributes:
      title: its heading.
      protocol: of `asen-evaluate`.
      rows: in the paper's order, the worst first.
    """

    title: str
    protocol: str
    rows: Sequence[Row]


AAAI = "asen_aaai2020_page:comparison"
TIP = "asenpp_tip2021_slides:comparison"
ABLATION = "asenpp_tip2021_slides:ablation"
LOCALIZATION = "asenpp_tip2021_slides:localization"
AS_IT_IS = "ak_wacv2018_paper:figure6a_top20_percent"
CHANGED = "ak_wacv2018_paper:figure6b_top20_percent"
BY_ATTRIBUTE = "ak_wacv2018_paper:table2_top20_percent"


def _ak(name: str) -> dict[str, str]:
    return dict.fromkeys((AS_IT_IS, CHANGED, BY_ATTRIBUTE), name)


def _weight(of: str) -> str:
    return f"stage2.losses.{of}.weight"


_NO_ASA = {"model.spatial_attention": False}
_NO_ACA = {"model.channel_attention": False}
_FULL = "ASEN++"
_GLOBAL = "ASEN++ (global branch)"
_LOCAL = "ASEN++ (local branch)"
_BESIDE = "trained beside the other branch; whether the paper's is, its slides do not say"
_REPEATED = "not in the paper: without it in both branches"

TABLES = {
    "asen_baselines": Table(
        title="ASEN and its baselines (Ma et al., AAAI 2020; Dong et al., TIP 2021)",
        protocol=SIMILARITY,
        rows=(
            Row("random", model="", printed={TIP: "Random baseline"}),
            Row(
                "linear",
                model="linear",
                note="not in the papers: shrinkage LDA on the frozen backbone's features",
            ),
            Row("triplet network", model="triplet_net", printed={TIP: "Triplet network"}),
            Row("CSN", model="csn", printed={TIP: "CSN"}, note="learned masks, cosines"),
            Row(
                "ASEN",
                model="asen_aaai2020",
                printed={AAAI: "ASEN"},
                note="the one-branch network of 2020",
            ),
            Row(_GLOBAL, slice="global", printed={TIP: "ASEN_g"}, note=_BESIDE),
            Row(_LOCAL, slice="local", printed={TIP: "ASEN_l"}, note=_BESIDE),
            Row(_FULL, printed={TIP: "ASEN"}),
            Row(
                f"{_FULL} with values",
                slice=WITH_VALUES,
                note="not in the papers: beside the embedding, how probable each value is",
            ),
        ),
    ),
    "asen_aaai2020": Table(
        title="The first ASEN (Ma et al., AAAI 2020)",
        protocol=SIMILARITY,
        rows=(
            Row("random", model="", printed={AAAI: "Random baseline"}),
            Row("triplet network", model="triplet_net", printed={AAAI: "Triplet network"}),
            Row("CSN", model="csn", printed={AAAI: "CSN"}, note="learned masks, cosines"),
            *(
                Row(
                    f"ASEN without {left_out}",
                    model="asen_aaai2020",
                    changes=changes,
                    printed={AAAI: f"ASEN w/o {left_out}"},
                )
                for left_out, changes in (("ASA", _NO_ASA), ("ACA", _NO_ACA))
            ),
            Row("ASEN", model="asen_aaai2020", printed={AAAI: "ASEN"}),
        ),
    ),
    "asen_ablation": Table(
        title="Parts of ASEN++ (Dong et al., TIP 2021)",
        protocol=SIMILARITY,
        rows=(
            Row("random", model="", printed={TIP: "Random baseline"}),
            Row(
                "global branch alone without ASA",
                changes=_NO_ASA,
                global_alone=True,
                printed={ABLATION: "ASEN_g w/o ASA"},
            ),
            Row(
                "global branch alone without ACA",
                changes=_NO_ACA,
                global_alone=True,
                printed={ABLATION: "ASEN_g w/o ACA"},
            ),
            Row(
                "global branch alone",
                global_alone=True,
                printed={ABLATION: "ASEN_g"},
                note="stage 1; whether the paper's is, or a branch of both, its slides do not say",
            ),
            Row(
                "local branch alone",
                changes={_weight("global_triplet"): 0, _weight("alignment"): 0},
                slice="local",
                printed={TIP: "ASEN_l"},
                note="stage 2 by its loss alone; what the global branch learned gives the regions",
            ),
            Row("without ASA", changes=_NO_ASA, note=_REPEATED),
            Row("without ACA", changes=_NO_ACA, note=_REPEATED),
            Row(_LOCAL, slice="local", printed={TIP: "ASEN_l"}, note=_BESIDE),
            Row(_GLOBAL, slice="global", printed={ABLATION: "ASEN_g"}, note=_BESIDE),
            *(
                Row(
                    f"without {loss}",
                    changes={_weight(term): 0},
                    printed={ABLATION: f"ASEN w/o {loss}"},
                    note="our reading: in stage 2, the one that has several losses",
                )
                for loss, term in (
                    ("L_g", "global_triplet"),
                    ("L_l", "local_triplet"),
                    ("L_a", "alignment"),
                )
            ),
            Row(_FULL, printed={ABLATION: "ASEN"}),
        ),
    ),
    "localization": Table(
        title="Region of the local branch (Dong et al., TIP 2021)",
        protocol=SIMILARITY,
        rows=(
            Row(
                "ASEN_full",
                changes={"model.localization": "whole"},
                printed={LOCALIZATION: "ASEN_full"},
                note="our reading: the whole image",
            ),
            Row(
                "ASEN_1",
                changes={"model.localization": "peak"},
                printed={LOCALIZATION: "ASEN_1"},
                note="our reading: a fixed square around the peak of the attention",
            ),
            Row(
                "ASEN_2",
                changes={"model.localization": "largest"},
                printed={LOCALIZATION: "ASEN_2"},
                note="our reading: the largest connected component alone",
            ),
            Row(_LOCAL, slice="local", printed={TIP: "ASEN_l"}),
            Row(_FULL, printed={LOCALIZATION: "ASEN"}),
        ),
    ),
    "ak2018_manipulation": Table(
        title="Searches after a change (Ak et al., WACV 2018)",
        protocol=MANIPULATION,
        rows=(
            Row("random", model=""),
            *(
                Row(name, model=PART_GUIDED, argument=argument, printed=_ak(theirs))
                for name, argument, theirs in (
                    ("classic", "classic", "Classic"),
                    (
                        "without parts and ranking",
                        "without_parts_and_ranking",
                        "w/o Ranking & Parts",
                    ),
                    ("without parts", "without_parts", "w/o Parts"),
                    ("part-guided", "", "Proposed"),
                )
            ),
            Row(
                "AMNet",
                model="amnet",
                printed=_ak("AMNET"),
                note="changes its embedding itself; none of the papers has its equations",
            ),
            Row(_FULL, note="not in the paper"),
        ),
    ),
}
