"""What may be requested, checked as it comes in; what is said here is the API's documentation."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from asen_tf.app.fields import Filter

# Longer texts, and more of them, are no sensible request.
_Text = Annotated[str, Field(max_length=2000)]
_Texts = Annotated[list[_Text], Field(max_length=500)]
_Values = dict[_Text, Annotated[list[_Text], Field(min_length=1, max_length=500)]]
_Share = Annotated[float, Field(ge=0, le=1)]
# No tuple: what FastAPI says of tuples in its documentation is no valid schema.
_Box = Annotated[list[_Share], Field(min_length=4, max_length=4)]
_Weight = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
_Condition = Annotated[
    _Text,
    Field(
        description="That items meet, of their labels and metadata.",
        examples=['price<50 and not (brand="b & co" or color=red)'],
    ),
]

MOST_RESULTS = 48
# Of one garment.
MOST_PHOTOGRAPHS = 16
MOST_FACETS = 20


def _number_of(value: Any) -> str:
    return "several" if isinstance(value, list) else "one"


# What is wrong is told of the one form that was meant.
_OneOrMore = Annotated[
    Annotated[_Text, Tag("one")]
    | Annotated[list[_Text], Field(min_length=1, max_length=MOST_PHOTOGRAPHS), Tag("several")],
    Discriminator(_number_of),
]
# Numbers by which a shop counts its products, and no truth values.
_Product = (
    _Text
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
)


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Choice(_Query):
    """One of several ways to name something."""

    _ways: ClassVar[Sequence[str]]

    @model_validator(mode="after")
    def _one_of_them(self) -> "_Choice":
        if sum(getattr(self, way) is not None for way in self._ways) != 1:
            *others, last = self._ways
            raise ValueError(f"expected one of {', '.join(others)} and {last}")
        return self


class Reference(_Choice):
    """A photograph: of an item of the catalogue, or one that was sent. Give one of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"item": "images/000003.jpg"}]})
    _ways = ("item", "photograph")

    item: _Text | None = Field(None, description="Its id.")
    photograph: _Text | None = Field(None, description="Its name, as the answer to it said.")


class Garment(_Choice):
    """A garment: an item, a photograph that was sent, several of these, or a product.

    Give one of them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"item": "images/000003.jpg"},
                {"photograph": ["x1b9Ff0cN3mB1n4zq0aP8w", "Qm4s0bq7uWc2yJ9hV1xT6A"]},
                {"product": "4711"},
            ]
        }
    )
    _ways = ("item", "photograph", "product")

    item: _OneOrMore | None = Field(None, description="Its id, or those of several.")
    photograph: _OneOrMore | None = Field(
        None, description="Its name, as the answer to it said, or those of several."
    )
    product: _Product | None = Field(None, description="All of its items.")


class Picture(Reference):
    """A picture for a grid, or a larger one to look at closely."""

    size: Literal["small", "large"] = Field(
        "small", description="480 or 1024 pixels along the longer side, at most."
    )


class Cut(_Query):
    """The box of the garment in a photograph that was sent."""

    photograph: _Text = Field(description="Its name.", examples=["x1b9Ff0cN3mB1n4zq0aP8w"])
    box: _Box | None = Field(
        None,
        description="Left, top, right, bottom as shares of its sides; none: all of it counts.",
        examples=[[0.2, 0.1, 0.8, 0.6]],
    )


class Items(_Query):
    """Some of the items."""

    condition: _Condition = ""
    spread: bool = Field(
        False,
        description="From all over the catalogue, others with every offset, instead of one after "
        "the other by their ids.",
    )
    offset: int = Field(0, ge=0, le=10**9)
    count: int = Field(12, ge=1, le=MOST_RESULTS)


class Search(_Query):
    """A search by attributes, with changes and feedback, under conditions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "query": {"item": "images/000003.jpg"},
                    "weights": {"collar": 1},
                    "condition": "price<=50",
                    "facets": ["color", "brand"],
                },
                {
                    "query": {"photograph": ["x1b9Ff0cN3mB1n4zq0aP8w", "Qm4s0bq7uWc2yJ9hV1xT6A"]},
                    "changes": {"color": "blue"},
                    "diversity": 0.3,
                },
                {
                    "query": {"product": "4711"},
                    "disliked": ["images/000012.jpg"],
                    "exclude": ["images/000031.jpg"],
                },
                {"liked": [["images/000012.jpg"]]},
                {"text": "navy, v-neck, long sleeves, not striped"},
            ]
        }
    )

    query: Garment | None = Field(
        None,
        description="What it starts from; may be left out where items are liked, or words given.",
    )
    text: _Text = Field(
        "",
        description="Words: beside a query what it shall have instead of its own, alone what items "
        "are labelled with. The answer says what was understood.",
        examples=["navy, v-neck, long sleeves, not striped"],
    )
    wanted: _Values = Field(
        {},
        max_length=500,
        description="Attribute: values, of which any will do, as an answer has them in "
        "`understood`.",
        examples=[{"color": ["navy blue"]}],
    )
    unwanted: _Values = Field(
        {},
        max_length=500,
        description="Attribute: values that items shall not be labelled with.",
        examples=[{"pattern": ["striped"]}],
    )
    free: _Text = Field(
        "",
        description="Free text, for a model that reads it, as an answer has it in `understood`.",
        examples=[""],
    )
    weights: dict[_Text, _Weight] = Field(
        {},
        max_length=500,
        description="How much attributes count, below 0 asks for the opposite; none: all count 1.",
        examples=[{"collar": 1, "color": -0.3}],
    )
    changes: dict[_Text, _Text] = Field(
        {},
        max_length=500,
        description="The value that an attribute shall have instead of the query's own.",
        examples=[{"color": "blue"}],
    )
    liked: list[_Texts] = Field(
        [],
        max_length=50,
        description="Ids of items that were liked in each round of feedback, the oldest first.",
        examples=[[]],
    )
    disliked: _Texts = Field(
        [], description="Ids of items that the search leads away from.", examples=[[]]
    )
    measure: Literal["cosine", "euclidean"] = Field("cosine", description="What ranks.")
    several: Literal["mean", "best"] = Field(
        "mean",
        description="What several photographs or items are: one query, their mean, or each its "
        "own, of whose scores the best counts.",
    )
    group: _Text | None = Field(
        None,
        description="Metadata of which each value is one result, its best item, which names the "
        "others; none: `product`; empty: each item is a result.",
        examples=["product"],
    )
    diversity: float = Field(
        0.0, ge=0, le=1, description="How much results shall differ from each other."
    )
    threshold: float | None = Field(
        None, ge=-1, le=1, description="The lowest score of a result.", examples=[0.5]
    )
    ceiling: float | None = Field(
        None, ge=-1, le=1, description="The highest score of a result.", examples=[0.999]
    )
    exclude: _Texts = Field(
        [], description="Ids of items to leave out, with their products.", examples=[[]]
    )
    filters: dict[_Text, Filter] = Field(
        {},
        max_length=100,
        description="What columns of metadata shall have.",
        examples=[{"price": {"most": 50}}],
    )
    condition: _Condition = ""
    facets: list[_Text] = Field(
        [],
        max_length=MOST_FACETS,
        description="Attributes and columns of metadata, of whose values the answer tells how many "
        "items, or products, have them, of all that meet the filters and the condition.",
        examples=[["color", "brand"]],
    )
    offset: int = Field(0, ge=0, le=100_000)
    count: int = Field(24, ge=1, le=MOST_RESULTS)

    def has_words(self) -> bool:
        """Whether words ask for something."""
        return bool(self.text.strip() or self.wanted or self.unwanted or self.free.strip())

    @model_validator(mode="after")
    def _some_start(self) -> "Search":
        if self.query is None and not any(self.liked) and not self.has_words():
            raise ValueError("expected a query, liked items, or words, to start from")
        return self


class Look(_Query):
    """Photographs, and attributes whose regions are looked for in them."""

    photographs: list[Reference] = Field(max_length=MOST_RESULTS + 1)
    attributes: list[_Text] = Field(min_length=1, max_length=2, examples=[["collar"]])


class Prediction(_Query):
    """A photograph whose values are looked for."""

    photograph: Reference


class Comparison(_Query):
    """Two photographs; one at least is an item's."""

    left: Reference
    right: Reference
