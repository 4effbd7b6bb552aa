"""Pages for the browser in which everything is inside: nothing is loaded, no script runs."""

import base64

import jinja2

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("asen_tf.figures"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values) -> str:
    """A page of `templates/` with these values, whose texts cannot become markup."""
    return _TEMPLATES.get_template(template).render(**values)


def data_uri(mime: str, data: bytes) -> str:
    """A file as an address that holds it."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
