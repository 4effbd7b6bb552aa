"""What the page may request, checked as it comes in."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from asen_tf.app.fields import Filter

# Longer texts, and more of them, are no request of the page.
_Text = Annotated[str, Field(max_length=2000)]
_Texts = Annotated[list[_Text], Field(max_length=500)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Weight = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]

MOST_RESULTS = 48


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Reference(_Query):
    """A photograph: of an item of the catalogue, or one that the visitor sent."""

    item: _Text | None = None
    photograph: _Text | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Reference":
        if (self.item is None) == (self.photograph is None):
            raise ValueError("expected one of item and photograph")
        return self


class Picture(Reference):
    """A small picture for the grid, or a larger one to look at closely."""

    size: Literal["small", "large"] = "small"


class Cut(_Query):
    """The box of the garment in a photograph that the visitor sent; none: all of it counts.

    Attributes:
      photograph: its name.
      box: left, top, right, bottom as shares of its sides.
    """

    photograph: _Text
    box: tuple[_Share, _Share, _Share, _Share] | None = None


class Items(_Query):
    """Some items to start from, others at each turn."""

    turn: Annotated[int, Field(ge=0, le=10**9)] = 0
    count: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = 12


class Search(_Query):
    """A search: see `Catalogue.query` and `Catalogue.search` for what they are.

    Attributes:
      query: what it starts from.
      weights: attribute -> weight; none: all count 1.
      changes: attribute -> value.
      liked: ids of each round of feedback, the oldest first.
      measure: what ranks.
      hidden: ids to leave out.
      filters: column -> what it shall have.
      condition: in words, see `asen_tf.catalogue.filters`.
      offset, count: which of the results.
    """

    query: Reference
    weights: Annotated[dict[_Text, _Weight], Field(max_length=500)] = {}
    changes: Annotated[dict[_Text, _Text], Field(max_length=500)] = {}
    liked: Annotated[list[_Texts], Field(max_length=50)] = []
    measure: Literal["cosine", "euclidean"] = "cosine"
    hidden: _Texts = []
    filters: Annotated[dict[_Text, Filter], Field(max_length=100)] = {}
    condition: _Text = ""
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0
    count: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = 24


class Look(_Query):
    """Where does the model look in these photographs, for these attributes?"""

    photographs: Annotated[list[Reference], Field(max_length=MOST_RESULTS + 1)]
    attributes: Annotated[list[_Text], Field(min_length=1, max_length=2)]


class Tags(_Query):
    """Which values does this photograph show?"""

    photograph: Reference


class Comparison(_Query):
    """Two photographs; one at least is an item's."""

    left: Reference
    right: Reference
