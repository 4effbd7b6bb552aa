"""The grammar of conditions; engine_test.py has what they mean on every engine."""

import pytest

from asen_tf.catalogue.filters import All, AnyOf, Comparison, Not, parse
from asen_tf.catalogue.milvus_filter import expression
from asen_tf.core import AttributeSpace

A, B, C = (Comparison(name, "=", "1") for name in "abc")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a=1", A),
        ("a == 1", A),
        ("a!=1", Not(A)),
        ("a<-1.5", Comparison("a", "<", "-1.5")),
        ("a=1 or b=1 and c=1", AnyOf((A, All((B, C))))),
        ("(a=1 or b=1) and c=1", All((AnyOf((A, B)), C))),
        ("not a=1 and NOT not b=1", All((Not(A), Not(Not(B))))),
        ("not (a=1 and b=1)", Not(All((A, B)))),
        ("a in (1)", A),
        ("a in (x, 'y z')", AnyOf((Comparison("a", "=", "x"), Comparison("a", "=", "y z")))),
        ('"skirt length (cm)"=35', Comparison("skirt length (cm)", "=", "35")),
        (r'a="say \"no\" \\ \'"', Comparison("a", "=", 'say "no" \\ \'')),
        ('a=""', Comparison("a", "=", "")),
        ('"and"=or_else', Comparison("and", "=", "or_else")),
        ("größe=é", Comparison("größe", "=", "é")),
        ("path=a/b-c.jpg", Comparison("path", "=", "a/b-c.jpg")),
        ("  ", None),
    ],
)
def test_conditions_are_read(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "position 2: expected one of = != < <= > >= in, found the end"),
        ("a=", "position 3: expected a value, found the end"),
        ("a=1 b=2", "position 5: expected 'and', 'or' or the end, found 'b'"),
        ("(a=1", "expected ')', found the end"),
        ("a=1)", "found ')'"),
        ("a<b", "expected a number after '<', found 'b'"),
        ("a<nan", "expected a number"),
        ("a in ()", "expected a value, found ')'"),
        ("and=1", "expected the name"),
        ("a=1 and", "expected the name of a label or of metadata, found the end"),
        ('a="x', "position 3: the quote is not closed"),
        ("color='gray", "position 7: the quote is not closed"),
        ("a=1 ' b=2", "position 5: the quote is not closed"),
        ("=1", "expected the name"),
        ("not " * 200 + "a=1", "more than 100 levels"),
        ("(" * 5000 + "a=1", "more than 100 levels"),
    ],
)
def test_what_is_wrong_is_pointed_at(text, message):
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert message in str(caught.value)


def test_fields_are_named():
    found = parse("a=1 or not (b<2 and c in (x,y))").comparisons()
    assert {(one.name, one.sign, one.value) for one in found} == {
        *(("a", "=", "1"), ("b", "<", "2"), ("c", "=", "x"), ("c", "=", "y"))
    }


def test_texts_cannot_leave_their_literal_in_milvus():
    space = AttributeSpace({"color": ["red"]})
    key = r'$meta["label.color=x\") or exists $meta[\"y"]'
    hostile = parse("""color='x") or exists $meta["y'""")
    assert expression(hostile, space) == f"(exists {key}) and {key} == true"
