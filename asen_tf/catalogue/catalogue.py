"""A catalogue's items, with a vector for each attribute: kept, and searched."""

from collections.abc import Mapping, Sequence

import numpy as np

from asen_tf.catalogue.filters import parse
from asen_tf.catalogue.finder import Finder
from asen_tf.catalogue.items import Cell, Items, Record, check_ids
from asen_tf.catalogue.store import open_store
from asen_tf.embedders import Embedder


class Catalogue(Finder):
    """A store of items, and the model that embeds them: filled here, searched by `Finder`.

        catalogue = Catalogue("faiss:/data/vectors", asen_tf.load("runs/asen"))
        catalogue.upsert(["a.jpg"], catalogue.embed(["/photos/a.jpg"]), [Record({}, {"price": 20})])

    Those who have vectors and no model give a `VectorEmbedder`; TensorFlow is not loaded then.
    `engine` has more verbs: `vectors`, `records`, `compact`.

    Close it, or use it in a `with` statement. What it raises is what `Engine` and `open_store` do.

    Args:
      uri: `faiss:PATH` or `milvus:...`, see `open_store`. It is made if it is not there and an
        embedder is.
      embedder: the model; none: whichever filled it, and no search by photographs.
      read_only: writing is not wanted; another process may write meanwhile.

    Raises:
      ValueError: the store was filled by another model.
    """

    def __init__(self, uri: str, embedder: Embedder | None = None, *, read_only: bool = False):
        fingerprint = None if embedder is None else embedder.fingerprint()
        super().__init__(open_store(uri, fingerprint, read_only), embedder)

    def insert(
        self, ids: Sequence[str], vectors: np.ndarray, records: Sequence[Record] = ()
    ) -> None:
        """Adds items whose ids are new; all or none. See `Items`; no records: all are empty."""
        self.engine.insert(Items(ids, vectors, records))

    def upsert(
        self, ids: Sequence[str], vectors: np.ndarray, records: Sequence[Record] = ()
    ) -> None:
        """Adds items, in place of those of the same ids; all or none. See `insert`."""
        self.engine.upsert(Items(ids, vectors, records))

    def update(self, ids: Sequence[str], metadata: Sequence[Mapping[str, Cell]]) -> None:
        """Changes metadata of items, such as prices and stock; needs no model. All or none.

            catalogue.update(["a.jpg"], [{"price": 15, "stock": 3}])

        Args:
          ids: N items.
          metadata: [N], for each the values of the names that change, None for no value; the
            others stay.

        Raises:
          ValueError: an unknown id, or one that comes twice, or a bad value.
        """
        if len(ids) != len(metadata):
            raise ValueError(
                f"expected metadata of each of the {len(ids)} ids, got {len(metadata)}"
            )
        check_ids(ids)
        records = [
            Record(labels, {**known, **new})
            for (labels, known), new in zip(self.engine.records(ids), metadata, strict=True)
        ]
        self.engine.describe(ids, records)

    def delete(self, ids: Sequence[str]) -> int:
        """Removes items; gives how many of them were there."""
        return self.engine.delete(ids)

    def ids(self, where: str = "") -> list[str]:
        """The ids of all items, or of those that meet a condition (see `filters`), sorted."""
        return self.engine.ids(parse(where))

    def __len__(self) -> int:
        """How many items there are."""
        return len(self.engine)

    def close(self) -> None:
        """Ends the work; what was written stays."""
        self.engine.close()

    def __enter__(self) -> "Catalogue":
        return self

    def __exit__(self, *_) -> None:
        self.close()
