"""Train the recogniser of MRZ lines: ``python -m models.training.mrz_train``. Needs the extra ``train`` (PyTorch, CPU).

One process draws the shards, this one learns from them in their order, so that a seed gives the same network whatever
the speed of either. See REPORT.md for what came out.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models.training.mrz_data import FIRST_PATTERNED_SHARD, FIRST_WORN_SHARD, UNKNOWN, read_shard
from models.training.mrz_net import LineNet

SEED = 9303
BATCH = 32
LAST_SHARD = FIRST_PATTERNED_SHARD + 32
WEIGHT_DECAY = 1e-4
AVERAGING = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Once through some shards, in their order or mixed; the rate falls from its peak to nothing as a cosine."""

    shards: range
    peak_rate: float
    is_mixed: bool = False

    def order(self) -> list[int]:
        """Return the shards in the order in which they are learnt from."""
        indices = list(self.shards)
        return [indices[i] for i in np.random.default_rng(SEED).permutation(len(indices))] if self.is_mixed else indices


# Shapes first, then worn lines, then patterned paper, at last of everything: a network that starts with the worst learns
# blanks, and one that ends with it forgets.
PASSES = (
    Pass(shards=range(FIRST_WORN_SHARD), peak_rate=2.5e-3),
    Pass(shards=range(FIRST_WORN_SHARD), peak_rate=1.5e-3),
    Pass(shards=range(FIRST_WORN_SHARD, FIRST_PATTERNED_SHARD), peak_rate=1.2e-3),
    Pass(shards=range(FIRST_PATTERNED_SHARD, LAST_SHARD), peak_rate=1.0e-3),
    Pass(shards=range(FIRST_WORN_SHARD - 24, LAST_SHARD), peak_rate=8e-4, is_mixed=True),
)


def normalise(pixels: torch.Tensor) -> torch.Tensor:
    """Return float32 (n, 1, 32, width) with zero mean and unit deviation a picture, as the reader feeds it."""
    values = pixels.float()
    mean = values.mean(dim=(1, 2), keepdim=True)
    deviation = values.std(dim=(1, 2), keepdim=True, correction=0)
    return ((values - mean) / (deviation + 4.0)).unsqueeze(1)


def train(folder: Path, output: Path, *, passes: Sequence[Pass] = PASSES, first_pass: int = 0) -> None:
    """Train and write the weights to ``output``; from scratch, or from the weights there if ``first_pass`` is not 0."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    net = LineNet()
    for number in range(first_pass, len(passes)):
        if number > 0:
            net.load_state_dict(torch.load(output, weights_only=True))
        _train_pass(net, folder, output, this=passes[number], number=number)


def _train_pass(net: LineNet, folder: Path, output: Path, *, this: Pass, number: int) -> None:
    """Go through the shards once and keep the running average of the weights."""
    rng = np.random.default_rng(SEED + number)
    net.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=WEIGHT_DECAY)
    averaged = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING), use_buffers=True
    )
    started = time.monotonic()
    for done, index in enumerate(this.order()):
        pixels, codes = _wait_for(folder / f"shard-{SEED}-{index:04d}.npz")
        order = rng.permutation(len(pixels))
        losses = []
        for start in range(0, len(order) - BATCH // 2, BATCH):
            chosen = order[start : start + BATCH]
            for group in optimiser.param_groups:
                group["lr"] = _rate(this.peak_rate, (done + start / len(order)) / len(this.shards))
            losses.append(_step(net, optimiser, pixels[chosen], codes[chosen]))
            averaged.update_parameters(net)
        if done % 5 == 4:
            row = {"pass": number, "shards": done + 1, "of": len(this.shards), "loss": round(float(np.mean(losses)), 4)}
            print(json.dumps(row | {"minutes": round((time.monotonic() - started) / 60, 1)}), flush=True)
    torch.save(averaged.module.state_dict(), output)


def _step(net: nn.Module, optimiser: torch.optim.Optimizer, pixels: np.ndarray, codes: np.ndarray) -> float:
    target = torch.from_numpy(codes.astype(np.int64))
    scores = net(normalise(torch.from_numpy(pixels)).contiguous(memory_format=torch.channels_last))
    loss = functional.cross_entropy(scores, target, ignore_index=UNKNOWN)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    optimiser.step()
    return float(loss.detach())


def _rate(peak: float, progress: float) -> float:
    warm = min(1.0, progress / 0.02)
    return peak * warm * (0.5 + 0.5 * math.cos(math.pi * progress)) + 1e-6


def _wait_for(path: Path) -> tuple[np.ndarray, np.ndarray]:
    while not path.exists():
        time.sleep(0.5)
    return read_shard(path)


def main() -> None:
    """Start the drawing process and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("build/mrz"), help="where the drawn shards go (about 10 MB each)"
    )
    parser.add_argument("--output", type=Path, default=Path("build/mrz/mrz_ocrb.pt"))
    parser.add_argument("--first-pass", type=int, default=0, help="take up an interrupted training at this pass")
    arguments = parser.parse_args()
    command = [
        sys.executable,
        "-m",
        "models.training.mrz_data",
        str(arguments.folder),
        str(SEED),
        str(PASSES[arguments.first_pass].shards.start),
        str(max(each.shards.stop for each in PASSES)),
    ]
    drawing = subprocess.Popen(command)
    try:
        train(arguments.folder, arguments.output, first_pass=arguments.first_pass)
    finally:
        drawing.terminate()
        drawing.wait()


if __name__ == "__main__":
    main()
