"""ASEN++ in PyTorch as the paper's released code does it, to compare speeds in one run.

    python benchmarks/torch_asen.py --case=train_stage1 --data_dir=DIR --batch=4 --seconds=15

A re-implementation, written from the paper and from what the released code does, not the authors'
code itself. What it keeps of their way of working: a forward pass for each of the three roles;
regions found on the host, photograph by photograph, with NumPy; photographs decoded with Pillow, in
the workers of a DataLoader when training, and anew for each attribute when embedding; for every
(photograph, attribute) pair a full pass of both branches. Needs PyTorch (`pip install torch`), not
torchvision. `benchmarks/compare_torch.py` runs it beside `asen-benchmark`.
"""

import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from absl import app, flags
from PIL import Image
from torch import nn

_CASE = flags.DEFINE_enum(
    "case", "train_stage1", ("train_stage1", "train_stage2", "embed_one", "embed_all"), "Which."
)
_GLOBAL = flags.DEFINE_string("global_backbone", "resnet50", "Of the global branch.")
_LOCAL = flags.DEFINE_string("local_backbone", "resnet34", "Of the local branch.")
_SIZE = flags.DEFINE_integer("size", 224, "Side of the global branch's input in pixels.")
_LOCAL_SIZE = flags.DEFINE_integer("local_size", 112, "Likewise of the local branch.")
_BATCH = flags.DEFINE_integer("batch", 4, "Triplets a training step; images, embedding.")
_ATTRIBUTES = flags.DEFINE_integer("attributes", 9, "Attributes that are embedded.")
_WORKERS = flags.DEFINE_integer("workers", 2, "Processes that decode photographs, training.")
_SECONDS = flags.DEFINE_float("seconds", 30.0, "How long to measure, after one call.")
_DEVICE = flags.DEFINE_string("device", "cpu", "Where PyTorch computes, such as cuda.")
_PRECISION = flags.DEFINE_enum(
    "precision", "float32", ("float32", "bfloat16"), "In which convolutions compute, by autocast."
)
_DATA = flags.DEFINE_string("data_dir", None, "Folder with photographs in images/.", required=True)

_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
_DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
_BLOCKS = {
    "resnet10": ((1, 1, 1), False),
    "resnet18": ((2, 2, 2), False),
    "resnet34": ((3, 4, 6), False),
    "resnet50": ((3, 4, 6), True),
}
_EMBEDDING, _ATTRIBUTE = 1024, 512
_THRESHOLD, _MARGIN = 0.1, 0.2


class Residual(nn.Module):
    """torchvision's basic block, or its bottleneck with the stride on the 3 x 3 convolution."""

    def __init__(self, given: int, width: int, stride: int, bottleneck: bool):
        super().__init__()
        made = width * 4 if bottleneck else width
        shapes = (
            [(given, width, 1, 1), (width, width, 3, stride), (width, made, 1, 1)]
            if bottleneck
            else [(given, width, 3, stride), (width, width, 3, 1)]
        )
        layers = []
        for n, (before, after, side, step) in enumerate(shapes):
            layers += [
                nn.Conv2d(before, after, side, step, side // 2, bias=False),
                nn.BatchNorm2d(after),
            ]
            if n < len(shapes) - 1:
                layers.append(nn.ReLU(inplace=True))
        self.body = nn.Sequential(*layers)
        self.shortcut = nn.Identity()
        if stride > 1 or given != made:
            self.shortcut = nn.Sequential(
                nn.Conv2d(given, made, 1, stride, bias=False), nn.BatchNorm2d(made)
            )
        self.made = made

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


def resnet(name: str) -> tuple[nn.Sequential, int]:
    """A ResNet cut after its third stage, and its channels."""
    counts, bottleneck = _BLOCKS[name]
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    ]
    channels = 64
    for stage, count in enumerate(counts):
        for n in range(count):
            stride = 2 if stage and not n else 1
            block = Residual(channels, 64 * 2**stage, stride, bottleneck)
            layers.append(block)
            channels = block.made
    return nn.Sequential(*layers), channels


class Branch(nn.Module):
    """Backbone, spatial and channel attention, linear embedding, for one attribute a photograph."""

    def __init__(self, backbone: str, common: int):
        super().__init__()
        self.backbone, channels = resnet(backbone)
        self.common = common
        self.positions = nn.Conv2d(channels, common, 1)
        self.spatial = nn.Linear(_ATTRIBUTE, common)
        self.channel = nn.Linear(_ATTRIBUTE, _ATTRIBUTE)
        self.squeeze = nn.Linear(channels + _ATTRIBUTE, channels // 2)
        self.excite = nn.Linear(channels // 2, channels)
        self.embedding = nn.Linear(channels, _EMBEDDING)

    def forward(self, images, attribute):
        features = self.backbone(images)
        asked = torch.tanh(self.spatial(attribute))[:, :, None, None]
        scores = (asked * torch.tanh(self.positions(features))).sum(1) / self.common**0.5
        attention = F.softmax(scores.flatten(1), 1).view_as(scores)
        pooled = (features * attention[:, None]).sum((2, 3))
        query = F.relu(self.channel(attribute))
        weights = torch.cat([pooled, query], 1)
        weights = torch.sigmoid(self.excite(F.relu(self.squeeze(weights))))
        return self.embedding(pooled * weights), attention


class Network(nn.Module):
    """Both branches and the attribute embedding that they share."""

    def __init__(self, global_backbone: str, local_backbone: str, attributes: int):
        super().__init__()
        self.attributes = nn.Embedding(attributes, _ATTRIBUTE)
        self.global_branch = Branch(global_backbone, 512)
        self.local_branch = Branch(local_backbone, 256)


def normalised(photograph: Image.Image) -> torch.Tensor:
    pixels = (np.asarray(photograph, np.float32) / 255 - _MEAN) / _DEVIATION
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def opened(path: str) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def global_input(photograph: Image.Image, size: int) -> torch.Tensor:
    """Shorter side to `size`, the square in the centre, normalised."""
    width, height = photograph.size
    short = min(width, height)
    scaled = size * width // short, size * height // short
    left, top = ((side - size) // 2 for side in scaled)
    resized = photograph.resize(scaled, Image.Resampling.BILINEAR)
    return normalised(resized.crop((left, top, left + size, top + size)))


def region(attention: np.ndarray, size: int) -> tuple[int, int, int]:
    """Left, top and side of the square around what attention keeps, in a size x size image."""
    spread = torch.from_numpy(attention)[None, None]
    spread = F.interpolate(spread, (size, size), mode="bilinear", align_corners=False)[0, 0].numpy()
    low, high = spread.min(), spread.max()
    kept = np.ones_like(spread, bool)
    if high > low:
        kept = np.trunc((spread - low) / (high - low) * 255) > 255 * _THRESHOLD
    rows, columns = np.flatnonzero(kept.any(1)), np.flatnonzero(kept.any(0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    side = max(width, height)
    x, y = columns[0] + width // 2, rows[0] + height // 2
    left, top = (int(np.clip(centre - side // 2, 0, size - side)) for centre in (x, y))
    return left, top, int(side)


def local_inputs(paths: list[str], attention: torch.Tensor, size: int, local: int) -> torch.Tensor:
    """The attended squares of the original photographs, one after the other, on the host."""
    inputs = []
    for path, of_one in zip(paths, attention.detach().float().cpu().numpy(), strict=True):
        photograph = opened(path)
        width, height = photograph.size
        short = min(width, height)
        left, top, side = (n * short // size for n in region(of_one, size))
        left, top = left + (width - short) // 2, top + (height - short) // 2
        cut = photograph.crop((left, top, left + side, top + side))
        inputs.append(normalised(cut.resize((local, local), Image.Resampling.BILINEAR)))
    return torch.stack(inputs).to(_DEVICE.value)


class Triplets(torch.utils.data.Dataset):
    """Random triplets; which images they hold makes no difference to speed."""

    def __init__(self, paths: list[str], attributes: int, size: int):
        self._paths, self._attributes, self._size = paths, attributes, size

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, number: int):
        generator = np.random.default_rng(number)
        paths = [self._paths[n] for n in generator.integers(0, len(self._paths), 3)]
        images = torch.stack([global_input(opened(path), self._size) for path in paths])
        return images, paths, int(generator.integers(self._attributes))


def batches(paths: list[str]) -> Iterator:
    loader = torch.utils.data.DataLoader(
        Triplets(paths, _ATTRIBUTES.value, _SIZE.value),
        batch_size=_BATCH.value,
        num_workers=_WORKERS.value,
        collate_fn=lambda rows: (
            torch.stack([images for images, _, _ in rows], 1),
            list(zip(*(its for _, its, _ in rows), strict=True)),
            torch.tensor([attribute for _, _, attribute in rows]),
        ),
    )
    return iter(loader)


def triplet_loss(roles: list[torch.Tensor]) -> torch.Tensor:
    anchor, positive, negative = roles
    near, far = F.cosine_similarity(anchor, positive), F.cosine_similarity(anchor, negative)
    return F.relu(_MARGIN - near + far).mean()


def lower_precision() -> torch.autocast:
    return torch.autocast(_DEVICE.value, torch.bfloat16, enabled=_PRECISION.value == "bfloat16")


def training(network: Network, paths: list[str], both: bool) -> tuple[Callable, int, Iterator]:
    shared = [*network.global_branch.parameters(), *network.attributes.parameters()]
    optimizers = [torch.optim.Adam(shared, 1e-5 if both else 1e-4)]
    if both:
        optimizers.append(torch.optim.Adam(network.local_branch.parameters(), 1e-4))
    network.train()
    upcoming = batches(paths)

    def step(batch) -> float:
        with lower_precision():
            loss = loss_of(*batch)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return loss.item()

    def loss_of(images, files, attributes) -> torch.Tensor:
        vectors = network.attributes(attributes.to(_DEVICE.value))
        images = images.to(_DEVICE.value)
        passes = [network.global_branch(role, vectors) for role in images]
        of_global = [embedding for embedding, _ in passes]
        loss = triplet_loss(of_global)
        if both:
            of_local = []
            for its, (_, attention) in zip(files, passes, strict=True):
                crops = local_inputs(list(its), attention, _SIZE.value, _LOCAL_SIZE.value)
                of_local.append(network.local_branch(crops, vectors)[0])
            aligned = sum(
                (1 - F.cosine_similarity(one, other)).mean()
                for one, other in zip(of_global, of_local, strict=True)
            )
            loss = loss + 0.1 * triplet_loss(of_local) + 0.1 * aligned
        return loss

    return step, 3 * _BATCH.value, upcoming


def embedding(network: Network, paths: list[str], count: int) -> tuple[Callable, int, Iterator]:
    network.eval()
    files = itertools.cycle(paths)
    upcoming = iter(lambda: [next(files) for _ in range(_BATCH.value)], None)

    @torch.no_grad()
    @lower_precision()
    def call(chosen) -> float:
        for attribute in range(count):
            asked = torch.full((len(chosen),), attribute, device=_DEVICE.value)
            vectors = network.attributes(asked)
            images = torch.stack([global_input(opened(path), _SIZE.value) for path in chosen])
            images = images.to(_DEVICE.value)
            found, attention = network.global_branch(images, vectors)
            crops = local_inputs(chosen, attention, _SIZE.value, _LOCAL_SIZE.value)
            local, _ = network.local_branch(crops, vectors)
            whole = torch.cat(
                [0.6**0.5 * F.normalize(found), 0.4**0.5 * F.normalize(local)], 1
            ).cpu()
        return float(whole[0, 0])

    return call, _BATCH.value, upcoming


def timed(call: Callable, upcoming: Iterator, seconds: float) -> list[float]:
    call(next(upcoming))
    times = []
    while sum(times) < seconds or len(times) < 2:
        began = time.perf_counter()
        call(next(upcoming))
        times.append(time.perf_counter() - began)
    return times


def measure(call: Callable, images: int, upcoming: Iterator) -> dict:
    times = timed(call, upcoming, _SECONDS.value)
    # In training what is at hand is decoded; in embedding, files are decoded anew in any case.
    again = timed(call, itertools.repeat(next(upcoming)), _SECONDS.value / 2)
    on_gpu = _DEVICE.value != "cpu"
    status = Path("/proc/self/status").read_text()
    return {
        "images_per_sec": images / statistics.median(times),
        "images_per_sec_mean": images * len(times) / sum(times),
        "calls": len(times),
        "peak_memory_mb": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
        "images_per_sec_at_hand": images / statistics.median(again),
        "gpu_peak_mb": torch.cuda.max_memory_allocated() / 2**20 if on_gpu else None,
        "torch": torch.__version__,
    }


def main(_) -> None:
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")  # on GPUs what TensorFlow does, too
    paths = sorted(str(path) for path in Path(_DATA.value).glob("images/*.jpg"))
    network = Network(_GLOBAL.value, _LOCAL.value, _ATTRIBUTES.value)
    network.to(_DEVICE.value)
    if _CASE.value.startswith("train"):
        work = training(network, paths, both=_CASE.value == "train_stage2")
    else:
        work = embedding(network, paths, 1 if _CASE.value == "embed_one" else _ATTRIBUTES.value)
    print(json.dumps(measure(*work)))


if __name__ == "__main__":
    app.run(main)
