"""Stance, shape and place of a garment: what all parts are drawn from, and the part boxes."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from asen_tf.data.synthetic.attributes import SPACE
from asen_tf.data.synthetic.draw_neck import bottom
from asen_tf.data.synthetic.frame import Frame, mirrored, rectangle, resampled, ribbon

SLEEVE_SHARE = {"sleeveless": 0.0, "short": 0.36, "three_quarter": 0.70, "long": 1.0}
HEM = {"crop": 0.42, "hip": 0.55, "knee": 0.69, "maxi": 0.85}
HEM_CURVE = 0.012
MARGIN = 0.015  # of the centred square, kept free around the garment

Box = tuple[float, float, float, float]

_COLLAR = rectangle(-0.17, -0.06, 0.17, 0.235)


@dataclasses.dataclass(frozen=True)
class Garment:
    """Geometry in design units; angles in radians from straight down, outward.

    Attributes:
      arms: (upper arm, forearm) angle of the arm on the picture's right and on its left.
      waist: half width of the waist.
      hip: half width of the hip.
      flare: growth of the half width per unit of length below the hip.
      sleeve_width: half width of a sleeve at the shoulder.
      ripple: height of the waves along a long hem.
      pocket_side: 1 or -1, the side of a chest pocket.
    """

    arms: tuple[tuple[float, float], tuple[float, float]]
    waist: float
    hip: float
    flare: float
    sleeve_width: float
    ripple: float
    pocket_side: int

    @classmethod
    def drawn(cls, rng: np.random.Generator, look: str) -> "Garment":
        """A random stance and shape; the plain look stands straighter."""
        bend = 0.15 if look == "plain" else 0.5
        arms = []
        for _ in range(2):
            upper = rng.uniform(0.28, 0.45 if look == "plain" else 0.75)
            fore = np.clip(upper + rng.uniform(-bend, bend), 0.30 - 0.35 * upper, 0.9)
            arms.append((upper, float(fore)))
        return cls(
            arms=(arms[0], arms[1]),
            waist=rng.uniform(0.122, 0.145),
            hip=rng.uniform(0.160, 0.180),
            flare=rng.uniform(0.05, 0.24),
            sleeve_width=rng.uniform(0.050, 0.062),
            ripple=rng.uniform(0.0, 0.010),
            pocket_side=int(rng.choice([-1, 1])),
        )

    def half_width(self, y: np.ndarray | float) -> np.ndarray:
        """Half width of the body at heights y, from the underarm down."""
        y = np.asarray(y, np.float64)
        knots = np.array([0.15, 0.33, 0.47])
        widths = np.array([0.158, self.waist, self.hip])
        cell = np.clip(np.searchsorted(knots, y) - 1, 0, 1)
        t = np.clip((y - knots[cell]) / (knots[cell + 1] - knots[cell]), 0, 1)
        body = widths[cell] + (widths[cell + 1] - widths[cell]) * t * t * (3 - 2 * t)
        return body + self.flare * np.maximum(y - 0.43, 0)

    def side(self, hem: float) -> np.ndarray:
        """[30, 2] the right side seam, underarm to hem."""
        y = np.linspace(0.15, hem, 30)
        return np.stack([self.half_width(y), y], 1)

    def hem(self, hem: float) -> np.ndarray:
        """[41, 2] the lower edge, right to left; it waves where the skirt is long."""
        t = np.linspace(1, -1, 41)
        waves = self.ripple * np.sin(9 * t + 1) * min(1.0, max(0.0, (hem - 0.5) / 0.15))
        return np.stack([t * self.half_width(hem), hem + HEM_CURVE * (1 - t * t) + waves], 1)

    def arm(self, side: int) -> np.ndarray:
        """[41, 2] shoulder to wrist, evenly spaced; side 0 is the picture's right, 1 its left."""
        upper, fore = self.arms[side]
        shoulder = np.array([0.132, 0.088])
        elbow = shoulder + 0.195 * np.array([np.sin(upper), np.cos(upper)])
        wrist = elbow + 0.195 * np.array([np.sin(fore), np.cos(fore)])
        t = np.linspace(0, 1, 12)[:, None]
        near, far = elbow + 0.3 * (shoulder - elbow), elbow + 0.3 * (wrist - elbow)
        bend = (1 - t) ** 2 * near + 2 * t * (1 - t) * elbow + t**2 * far
        path = resampled(np.concatenate([[shoulder], bend, [wrist]]), 41)
        return path if side == 0 else mirrored(path)

    def hand(self, side: int) -> np.ndarray:
        """[10, 2] from the wrist to the finger tips."""
        arm = self.arm(side)
        along = arm[-1] - arm[-4]
        return arm[-1] + np.outer(np.linspace(0.004, 0.064, 10), along / np.linalg.norm(along))

    def sleeve(self, side: int, share: float) -> np.ndarray:
        """The outline of a sleeve over `share` of the arm, shoulder to cuff and back."""
        path = self.arm(side)[: 1 + round(40 * share)]
        t = np.linspace(0, share, len(path))
        return ribbon(path, self.sleeve_width * (1 - 0.30 * t))

    def limb(self, side: int) -> np.ndarray:
        """Points that bound a whole arm and its hand."""
        return np.concatenate([self.sleeve(side, 1.0), self.hand(side)])

    def part_shapes(self, labels: Mapping[str, str]) -> dict[str, np.ndarray]:
        """For each attribute points [N, 2] whose bounding box is the part's box.

        A length is told on the limb, by where cloth ends and skin begins, so its part is the limb:
        both arms, and the legs as far down as a hem can reach. Pattern and color show on all cloth.
        A part that is not there ("none") has no points.
        """
        hem = HEM[labels["hem_length"]]
        legs = float(self.half_width(HEM["maxi"])) + 0.01
        torso = rectangle(-0.16, 0.0, 0.16, hem)
        share = SLEEVE_SHARE[labels["sleeve_length"]]
        sleeves = [self.sleeve(side, share) for side in (0, 1) if share]
        cloth = np.concatenate([torso, self.side(hem), mirrored(self.side(hem)), *sleeves])
        pocket_x = self.pocket_side * np.array([0.0, 0.165])
        if labels["pocket"] == "chest":
            pocket = rectangle(pocket_x.min(), 0.14, pocket_x.max(), 0.31)
        else:
            pocket = rectangle(-0.16, 0.26, 0.16, 0.44)
        shapes = {
            "neckline": rectangle(-0.155, -0.045, 0.155, 0.21),
            "collar": _COLLAR,
            "sleeve_length": np.concatenate([self.limb(0), self.limb(1)]),
            "hem_length": rectangle(-legs, 0.40, legs, HEM["maxi"] + 0.03),
            "pattern": cloth,
            "color": cloth,
            "pocket": pocket,
            "fastening": _front(labels),
        }
        return {name: points for name, points in shapes.items() if labels[name] != "none"}

    def body_shapes(self, labels: Mapping[str, str]) -> dict[str, np.ndarray]:
        """For each part that Ak et al. (WACV 2018) name points [N, 2] that bound it.

        The sleeves' parts are the arms, as in `part_shapes`; left is the picture's left. The torso
        reaches from the shoulders to the hips, the chest to the waist. Collar and fastening are
        where one would be, whether or not there is one.
        """
        return {
            "torso": rectangle(-0.158, 0.0, 0.158, 0.50),
            "left_sleeve": self.limb(1),
            "right_sleeve": self.limb(0),
            "collar": _COLLAR,
            "fastening": _front(labels),
            "chest": rectangle(-0.158, 0.0, 0.158, 0.33),
        }

    def reach(self) -> np.ndarray:
        """[N, 2] points that bound every part, whatever the labels."""
        largest = {name: SPACE[name].values[-1] for name in SPACE}
        return np.concatenate(list(self.part_shapes(largest).values()))

    def placed(self, rng: np.random.Generator, look: str, width: int, height: int) -> Frame:
        """A place, scale and turn that keep every part inside the centred square."""
        plain = look == "plain"
        turn = np.radians(1.5 if plain else 6.0)
        frame = Frame(width=rng.uniform(0.94, 1.06), angle=rng.uniform(-turn, turn))
        points = frame(self.reach())
        low, high = points.min(0), points.max(0)
        square = min(width, height)
        room = square * (1 - 2 * MARGIN)
        scale = room / (high - low).max() * rng.uniform(0.94 if plain else 0.84, 1.0)
        corner = np.array([(width - square) / 2, (height - square) / 2]) + square * MARGIN
        free = room - scale * (high - low)
        share = rng.uniform(0.4, 0.6, 2) if plain else rng.uniform(0, 1, 2)
        x, y = corner + free * share - scale * low
        return dataclasses.replace(frame, origin=(float(x), float(y)), scale=float(scale))


def _front(labels: Mapping[str, str]) -> np.ndarray:
    return rectangle(-0.155, bottom(labels["neckline"]), 0.155, 0.50)


def boxes_of(shapes: Mapping[str, np.ndarray], frame: Frame) -> dict[str, Box]:
    """The shapes' bounding boxes (left, top, right, bottom) in pixels of the photograph."""
    boxes = {}
    for name, points in shapes.items():
        pixels = frame(points)
        boxes[name] = (*pixels.min(0).tolist(), *pixels.max(0).tolist())
    return boxes
