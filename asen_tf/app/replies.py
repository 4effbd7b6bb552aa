"""What the API answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from asen_tf.app.problems import ProblemDetails
from asen_tf.app.queries import Garment
from asen_tf.catalogue.items import Cell

_Box = Annotated[list[float], Field(min_length=4, max_length=4)]
_LABELS = {"collar": ["mandarin"], "color": ["blue"]}
_METADATA = {"brand": "acme", "price": 39.9, "stock": 3}


class Item(BaseModel):
    """An item of the catalogue."""

    id: str = Field(examples=["images/000003.jpg"])
    labels: dict[str, list[str]] = Field(description="Attribute: its values.", examples=[_LABELS])
    metadata: dict[str, Cell] = Field(description="What else is known.", examples=[_METADATA])


class Hit(Item):
    """A result of a search."""

    product: Cell = Field(description="Which product it shows.", examples=["4711"])
    others: list[str] = Field(
        description="Ids of the other items that it stands for.", examples=[["images/000004.jpg"]]
    )
    score: float = Field(description="Weighted mean of the cosines, -1 to 1.", examples=[0.87])
    cosines: dict[str, float] = Field(
        description="How similar it is in each attribute that counts.", examples=[{"collar": 0.87}]
    )


class Count(BaseModel):
    """How many items, or products, have a value."""

    value: Cell = Field(examples=["blue"])
    count: int = Field(examples=[310])


class Understood(BaseModel):
    """What words asked for."""

    wanted: dict[str, list[str]] = Field(
        description="Attribute: values, of which any will do.",
        examples=[{"color": ["navy blue"], "neckline": ["v-neck"]}],
    )
    unwanted: dict[str, list[str]] = Field(
        description="Attribute: values that results are not labelled with.",
        examples=[{"pattern": ["striped"]}],
    )
    free: str = Field(
        "",
        description="What a model of images and texts reads as free text; empty where the "
        "catalogue has none.",
        examples=[""],
    )


class Unknown(BaseModel):
    """Words that ask for nothing: the catalogue does not have it, or they were passed over."""

    words: str = Field(examples=["manderin"])
    why: str = Field(
        examples=["neither the vocabulary nor the store knows it. Did you mean 'mandarin'?"]
    )


class Found(BaseModel):
    """What a search found."""

    query: Garment | None = Field(
        description="Where it starts; feedback may lead elsewhere. Null of words alone."
    )
    understood: Understood = Field(
        Understood(wanted={}, unwanted={}),
        description="What the words asked for, where there were any; it can be edited and sent "
        "back as `wanted`, `unwanted` and `free`.",
    )
    unknown: list[Unknown] = Field(
        [], description="What of `text` was not understood, or passed over."
    )
    results: list[Hit] = Field(description="Best first.")
    more: bool = Field(description="Whether there are more after these.")
    weights: dict[str, float] = Field(
        description="How much each attribute counted; their sizes sum to 1.",
        examples=[{"collar": 0.75, "color": -0.25}],
    )
    regions: list[str] = Field(
        description="Attributes whose regions say most about the results.", examples=[["collar"]]
    )
    facets: dict[str, list[Count]] = Field(
        description="Of each facet that was asked the most frequent values, 20 at most.",
        examples=[{"color": [{"value": "blue", "count": 310}]}],
    )


class SomeItems(BaseModel):
    """Some of the items."""

    total: int = Field(description="How many meet the condition.", examples=[200_000])
    items: list[Item]


class Likeness(BaseModel):
    """How similar two photographs are in one attribute."""

    attribute: str = Field(examples=["collar"])
    cosine: float = Field(description="-1 to 1.", examples=[0.93])
    percentile: float = Field(
        description="Percentage of random pairs of the catalogue that are less similar.",
        examples=[99.8],
    )


class Compared(BaseModel):
    """Two photographs, attribute by attribute."""

    attributes: list[Likeness]


class Prediction(BaseModel):
    """A value that a photograph shows."""

    attribute: str = Field(examples=["collar"])
    value: str = Field(examples=["mandarin"])
    probability: float = Field(examples=[0.91])


class Predictions(BaseModel):
    """The most probable value of each attribute; none where an item's photograph is missing."""

    predictions: list[Prediction]


class Looks(BaseModel):
    """Where the model looks."""

    regions: list[list[_Box | None]] = Field(
        description=(
            "For each photograph a box for each attribute: left, top, right, bottom as shares of "
            "its sides; null where the photograph is missing or broken."
        ),
        examples=[[[[0.1, 0.05, 0.6, 0.4]], [None]]],
    )


class Cut(BaseModel):
    """A photograph that can be searched with."""

    photograph: str = Field(description="Its name here.", examples=["x1b9Ff0cN3mB1n4zq0aP8w"])


class Received(Cut):
    """A photograph that was sent, and its size in pixels."""

    width: int = Field(examples=[1080])
    height: int = Field(examples=[1440])


class Health(BaseModel):
    """Whether everything works."""

    status: Literal["ready", "limited"] = Field(
        description="`limited`: the store answers, the model does not, or is another than its own."
    )
    problem: ProblemDetails | None = Field(description="What is wrong with the model.")
