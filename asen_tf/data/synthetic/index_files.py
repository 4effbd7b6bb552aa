"""The index files of the ASEN++ release (github.com/maryeon/asenpp)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from asen_tf.data.synthetic.attributes import SPACE


def write_index_files(
    folder: Path,
    names: Sequence[str],
    places: Sequence[tuple[str, str]],
    labels: Sequence[Mapping[str, str]],
) -> None:
    """Writes filenames_*, label_train, query_* and candidate_*.txt into an existing folder.

    Of each image it takes the path, (split, role), and attribute -> value.
    """
    coded = [[(i, SPACE[a].index(v[a])) for i, a in enumerate(SPACE)] for v in labels]
    for split in ("train", "valid", "test"):
        inside = [i for i, (its_split, _) in enumerate(places) if its_split == split]
        _write(folder / f"filenames_{split}.txt", (names[i] for i in inside))
        if split == "train":
            lines = (_line(fid, *sum(coded[i], ())) for fid, i in enumerate(inside))
            _write(folder / "label_train.txt", lines)
            continue
        for role in ("query", "candidate"):
            fids = [(fid, i) for fid, i in enumerate(inside) if places[i][1] == role]
            lines = (_line(fid, *coded[i][a]) for a in range(len(SPACE)) for fid, i in fids)
            _write(folder / f"{role}_{split}.txt", lines)


def _line(*numbers: int) -> str:
    return " ".join(map(str, numbers))


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
