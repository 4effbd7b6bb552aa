"""Items of one product, or of one value of any other metadata, as one result."""

from collections.abc import Iterable, Sequence

from asen_tf.catalogue.engine import Engine
from asen_tf.catalogue.filters import Condition
from asen_tf.catalogue.items import Cell, Record
from asen_tf.catalogue.storage.cells import kept
from asen_tf.core.choices import PRODUCT


def checked_group(engine: Engine, group: str | None) -> str:
    """The metadata to group by, that of products for None; ValueError: no item has it."""
    if group is None:
        return "" if PRODUCT in engine.fingerprint.attributes else PRODUCT
    if group and len(engine) and not engine.has_field(group):
        raise ValueError(f"group: no item has metadata {group!r}; expected a name such as product")
    return group


def others(
    engine: Engine,
    group: str,
    ids: Sequence[str],
    records: Sequence[Record],
    where: Condition | None = None,
) -> dict[str, list[str]]:
    """Id -> ids of the other items of its group that meet a condition, sorted; one has none."""
    cells = (record.metadata.get(group) for record in records)
    values = {one: kept(cell) for one, cell in zip(ids, cells, strict=True) if cell is not None}
    members = engine.having(group, set(values.values()), where) if values else {}
    return {one: [name for name in members[value] if name != one] for one, value in values.items()}


def leading(engine: Engine, group: str, ids: Sequence[str]) -> list[str]:
    """Of ids the first of each group; those without a group are each their own."""
    cells = (record.metadata.get(group) for record in engine.records(ids))
    first: dict[object, str] = {}
    for one, cell in zip(ids, cells, strict=True):
        first.setdefault((one,) if cell is None else kept(cell), one)
    return list(first.values())


def items_of(engine: Engine, product: Cell) -> list[str]:
    """The ids of a product's items, sorted; ValueError: it has none."""
    found = [] if checked_group(engine, None) == "" else engine.having(PRODUCT, [kept(product)])
    if not found or not found[kept(product)]:
        raise ValueError(f"no item of the product {product!r} in the store")
    return found[kept(product)]


def with_groups(engine: Engine, group: str, ids: Iterable[str]) -> list[str]:
    """Ids, which need not be there, and those of all items of their groups, sorted."""
    found = set(ids)
    if there := sorted(engine.known(found)) if group and found else []:
        found.update(*others(engine, group, there, engine.records(there)).values())
    return sorted(found)
