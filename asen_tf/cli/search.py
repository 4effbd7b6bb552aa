"""Searches a catalogue that asen-index filled.

    asen-search --store=faiss:/data/vectors --model=export/models/asen --image=q.jpg \\
      --weights=neckline=1,color=0.5 --set=collar=mandarin --filter="price<50" --html=found.html

The query is a photograph (--image, then a model is needed), an item of the catalogue (--id), each
given again for more of the same garment, a product (--product), or what was liked of earlier
results (--liked). Words (--text="navy, v-neck, not striped") change it, or are the query alone;
what was understood of them is said. Where the store was filled with a model of images and texts,
--model or --text_model, that reads the words which are no value. --rerank puts another engine's
results in a new order; --compare says in which attributes one item is like the query.
"""

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import app, flags

from asen_client.cli import program
from asen_client.cli.embedders import define_flags
from asen_tf.cli import lists, text_model
from asen_tf.core.files import check_outputs

if TYPE_CHECKING:
    from asen_tf.catalogue import Catalogue, Match
    from asen_tf.catalogue.items import Query
    from asen_tf.images import Photograph

# Flag -> others that mean nothing beside it.
_EXCLUDED = {
    "compare": (
        "text",
        "weights",
        "set",
        "liked",
        "disliked",
        "product",
        "measure",
        "filter",
        "exclude",
        "threshold",
        "ceiling",
        "several",
        "rerank",
        "html",
        "group",
        "diversity",
        "facets",
    ),
    "rerank": ("filter", "exclude", "threshold", "ceiling", "group", "diversity", "facets"),
}


def numbers(texts: Sequence[str]) -> dict[str, float]:
    """`["color=0.5"]` as a dictionary; raises ValueError as `pairs`, or for what is no number."""
    found = {}
    for name, value in lists.pairs(texts, str.rpartition).items():
        try:
            found[name] = float(value)
        except ValueError:
            raise ValueError(f"expected a number as weight of {name}, got {value!r}") from None
    return found


def read_results(path: str) -> list[tuple[str, float]]:
    """Another engine's results: JSON, a list of {"id", "score"}, as --json writes.

    Raises:
      ValueError: the file is something else.
    """
    try:
        listed = json.loads(Path(path).read_text(encoding="utf-8"))
        return [(str(one["id"]), float(one["score"])) for one in listed]
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        expected = 'JSON, a list of {"id": ..., "score": ...}'
        raise ValueError(f"{path}: expected {expected}; {error!r}") from error


def query(given: flags.FlagValues) -> dict:
    """The query, as `Catalogue.query` takes it."""
    return {
        "id": given.id,
        "image": _image(given),
        "weights": numbers(given.weights),
        "changes": lists.pairs(given.set),
        "liked": _liked(given),
        "disliked": given.disliked,
        "product": given.product,
        "measure": given.measure,
        "several": given.several,
        "text": given.text,
        "vocabulary": given.vocabulary,
    }


def find(catalogue: "Catalogue", given: flags.FlagValues) -> "list[Match]":
    """The results of a search, or of reranking."""
    wanted = query(given)
    if given.rerank:
        found = catalogue.rerank(read_results(given.rerank), blend=given.blend, **wanted)
        return found[given.offset : given.offset + given.k]
    from asen_tf.api.search import search
    from asen_tf.core.progress import say

    if not len(catalogue):
        say(f"{given.store} is empty; asen-index fills it")
    if unknown := sorted({*given.exclude} - catalogue.engine.known(given.exclude)):
        say(f"--exclude: {len(unknown)} ids are not in the store, {unknown[0]!r} for one")
    return search(
        catalogue,
        k=given.k,
        offset=given.offset,
        where=given.filter,
        exclude=given.exclude,
        threshold=given.threshold,
        ceiling=given.ceiling,
        group=given.group,
        diversity=given.diversity,
        **wanted,
    )


def write_page(catalogue: "Catalogue", found: "Sequence[Match]", given: flags.FlagValues) -> None:
    """Writes the results as a page, under the query's photograph and its settings."""
    from asen_tf.cli import search_output
    from asen_tf.data.root import Root

    root = Root(given.root, given.follow_links)
    rounds = _liked(given)
    wanted = catalogue.query(**query(given))
    name = wanted.items[-1] if wanted.items else None
    if name is None and not given.image:
        start = (given.text, None)
    elif name is None:
        first = given.image[0]
        start = (os.path.basename(first), search_output.pixels(first))
    else:
        (record,) = catalogue.engine.records([name])
        start = (name, search_output.photograph(name, record.metadata, root))
    said = {
        "by": start[0],
        "weights": _learned(wanted, catalogue) if rounds else ", ".join(given.weights),
        "words": given.text,
        "changed": ", ".join(given.set),
        "liked": "; then ".join(map(", ".join, rounds)),
        "disliked": ", ".join(given.disliked),
        "filter": given.filter,
        "reranked": given.rerank,
    }
    search_output.write_page(
        given.html,
        found,
        root=root,
        title=f"{len(found)} of {len(catalogue)} items",
        query=start,
        facts={name: text for name, text in said.items() if text},
        first=given.offset + 1,
    )


def main() -> None:
    given = flags.FLAGS
    _check(given)
    outputs = filter(None, (given.json, given.html))
    check_outputs(outputs, filter(None, (given.rerank, *given.vocabulary, *(given.image or ()))))
    from asen_tf.api.catalogues import opened as opened_catalogue
    from asen_tf.catalogue.filters import every, parse
    from asen_tf.catalogue.queries import start
    from asen_tf.cli import search_output
    from asen_tf.core.progress import say

    needed = given.image and start(_liked(given), given.measure) is None
    needed = needed or (given.text is not None and given.model)
    with (
        text_model.opened(given) if needed else contextlib.nullcontext() as model,
        opened_catalogue(given.store, model, read_only=True) as catalogue,
    ):
        garment, words = bool(_named(given) or _liked(given)), None
        if given.text is not None:
            words = catalogue.understand(given.text, given.vocabulary)
            for line in search_output.understood(words) if words or garment else ():
                say(line)
        if given.compare:
            found = catalogue.compare(given.compare, id=given.id, image=_image(given))
            lines = search_output.comparison(found)
        else:
            found = find(catalogue, given)
            lines = search_output.table(found, given.offset + 1)
        print("\n".join(lines) or "nothing was found")
        if given.facets:
            changed = lists.pairs(given.set)
            asked = None if words is None else words.condition(garment, changed)
            limits = {"where": every(parse(given.filter), asked), "group": given.group}
            print("\n".join(search_output.facets(catalogue.facets(given.facets, **limits))))
        if given.json:
            search_output.write_json(given.json, found)
        if given.html:
            write_page(catalogue, found, given)


def _learned(wanted: "Query", catalogue: "Catalogue") -> str:
    """The weights that feedback has led to, in percent of all."""
    said = zip(catalogue.attributes, 100 * wanted.weights, strict=True)
    return ", ".join(f"{name} {share:.0f} %" for name, share in said if share)


def _image(given: flags.FlagValues) -> "list[Photograph] | None":
    """The query's photographs, with the garment's box if it is given."""
    from asen_tf.images import Boxed

    return [Boxed(one, given.box) for one in given.image] if given.box else given.image


def _liked(given: flags.FlagValues) -> list[list[str]]:
    """The ids of each round of feedback, without rounds in which nothing was chosen."""
    return [chosen for chosen in given.liked if chosen]


def _named(given: flags.FlagValues) -> list[str]:
    """The flags that name a garment."""
    return [f"--{name}" for name in ("image", "id", "product") if given[name].value is not None]


def _check(given: flags.FlagValues) -> None:
    named = _named(given)
    if len(named) > 1:
        raise app.UsageError(
            f"{' and '.join(named)} exclude one another: a search starts from one garment"
        )
    if not (named or _liked(given) or given.text is not None):
        raise app.UsageError("give --image, --id or --product, or --liked, or --text")
    if given.box and len(given.image or ()) != 1:
        raise app.UsageError("--box is of the one photograph of --image, which is not given")
    for name, others in _EXCLUDED.items():
        for other in others:
            if given[name].value and given[other].value != given[other].default:
                raise app.UsageError(f"--{name} takes no --{other}")


def run() -> None:
    flags.DEFINE_string("store", None, "faiss:PATH, milvus:PATH.db or milvus:http://HOST:PORT.")
    define_flags()
    text_model.define_flag()
    flags.DEFINE_multi_string("image", None, "Photograph to search with; may be given again.")
    flags.DEFINE_list("box", None, "X1,Y1,X2,Y2 of the garment in it, in pixels; default: all.")
    lists.define_texts("id", "Id of an item of the catalogue to search with; may be given again.")
    lists.define_text("product", None, "Product of the catalogue to search with.")
    lists.define("weights", "ATTRIBUTE=NUMBER, also negative; default: all count alike.")
    lists.define_text(
        "text", None, 'Words for what is wanted, such as "navy, v-neck, long sleeves, not striped".'
    )
    flags.DEFINE_list(
        "vocabulary",
        ["fashion"],
        "What says which value in --text: names or files, docs/labels.md.",
    )
    lists.define("set", "ATTRIBUTE=VALUE that is wanted instead of the query's own.")
    lists.define_several(
        "liked",
        "Ids of results that were chosen; given again for each round, see --measure. An id that "
        "holds a comma stands in quotes: --liked='\"a,1\",b'.",
    )
    lists.define("disliked", "Ids of results to lead away from, in quotes as those of --liked.")
    flags.DEFINE_enum(
        "measure",
        "cosine",
        ("cosine", "euclidean"),
        "What ranks. cosine: the weighted mean of cosines; the first id of the last --liked "
        "replaces the query. euclidean (Ak et al., WACV 2018): the weighted sum of distances; "
        "only an id that is liked alone replaces it.",
    )
    flags.DEFINE_enum(
        "several",
        "mean",
        ("mean", "best"),
        "What several photographs are: one query, their mean, or each its own, of whose scores the "
        "best counts.",
    )
    lists.define_text("filter", "", 'A condition, such as "price<50 and not color=red".')
    lists.define("exclude", "Ids to leave out, with their products, in quotes as those of --liked.")
    flags.DEFINE_float("threshold", None, "Lowest score of a result, -1 to 1.")
    flags.DEFINE_float("ceiling", None, "Highest score of a result: 0.999 leaves out the same.")
    lists.define_text(
        "group",
        None,
        "Metadata by which the best photograph stands for all, such as brand; blank: every "
        "photograph is a result; default: product, where items have it.",
    )
    flags.DEFINE_float(
        "diversity", 0.0, "How much results shall differ from each other, 0 to 1.", 0.0, 1.0
    )
    lists.define(
        "facets", "Attributes and metadata, of which the values that meet --filter are counted."
    )
    flags.DEFINE_integer("k", 20, "How many results at most.", lower_bound=1)
    flags.DEFINE_integer("offset", 0, "How many results to pass over.", lower_bound=0)
    flags.DEFINE_string("rerank", None, 'JSON file, a list of {"id", "score"}, to sort anew.')
    flags.DEFINE_float("blend", 1.0, "Share of the similarity in the score of --rerank.", 0.0, 1.0)
    lists.define_text("compare", None, "Id of an item to compare with the query, by attribute.")
    flags.DEFINE_string("json", None, "JSON file to write the results to.")
    flags.DEFINE_string("html", None, "HTML page to write, with photographs.")
    flags.DEFINE_string("root", "", "Folder of the photographs that --html shows.")
    flags.DEFINE_bool("follow_links", False, "Whether links may lead out of --root.")
    flags.mark_flag_as_required("store")
    program.run(main)


if __name__ == "__main__":
    run()
