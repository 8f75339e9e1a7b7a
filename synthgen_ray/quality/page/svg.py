"""SVG elements. All text in them is escaped."""

from markupsafe import Markup

from synthgen_ray.quality.page.text import MAX_NAME, visible, width

LABEL_SIZE = 11.0  # of its font, as `style.css` has it

Attribute = str | float


def element(tag: str, *children: str, **attributes: Attribute) -> Markup:
    """`<tag attributes>children</tag>`; `class_` is written `class`, `text_anchor` is written `text-anchor`."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _written(value))
        for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(tag, written, Markup("").join(children))


def chart(title: str, description: str, width: float, height: float, *children: str) -> Markup:
    """A picture that scales with its column; `title` and `description` tell what it shows to who does not see it."""
    texts = element("title", title), element("desc", description)
    size = {"viewBox": f"0 0 {width:g} {height:g}", "class_": "chart", "role": "img"}
    return element("svg", *texts, *children, **size)


def label(x: float, y: float, text: str, anchor: str = "start", class_: str = "label") -> Markup:
    return element("text", text, x=x, y=y, text_anchor=anchor, class_=class_)


def label_width(text: str) -> float:
    return LABEL_SIZE * width(text)


def fitted(text: str, room: float) -> str:
    """`text` cut in its middle until a label of it has `room`."""
    cuts = (visible(text, limit) for limit in range(MAX_NAME, 1, -1))
    return next((shown for shown in cuts if label_width(shown) <= room), "…")


def _written(value: Attribute) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
