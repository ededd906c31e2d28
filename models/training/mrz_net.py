"""The network: seven convolutions that squeeze 32 rows to one and four columns to a frame."""

import torch
from torch import nn

from gate.checks.mrz import CHARACTERS

_CHANNELS = (16, 32, 48, 96, 128)


def _layer(channels: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)) -> nn.Sequential:
    padding = (kernel[0] // 2 if kernel[0] % 2 else 0, kernel[1] // 2)
    return nn.Sequential(
        nn.Conv2d(*channels, kernel, stride, padding, bias=False), nn.BatchNorm2d(channels[1]), nn.ReLU(inplace=True)
    )


class LineNet(nn.Module):
    """Scores before softmax, float32 (n, 38, width / 4), of normalised grey lines, float32 (n, 1, 32, width).

    It sees about three places at once: enough for an edge of a neighbour, too little for a word.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = _CHANNELS
        self.body = nn.Sequential(
            _layer((1, a), (3, 3), (2, 2)),
            _layer((a, b), (3, 3), (2, 1)),
            _layer((b, c), (3, 3), (2, 2)),
            _layer((c, c), (3, 3)),
            _layer((c, d), (3, 3), (2, 1)),
            _layer((d, e), (2, 3)),
        )
        self.inner = _layer((e, e), (1, 3))
        self.outer = nn.Sequential(nn.Conv2d(e, e, (1, 3), padding=(0, 1), bias=False), nn.BatchNorm2d(e))
        self.head = nn.Conv2d(e, 1 + len(CHARACTERS), 1)

    def forward(self, lines: torch.Tensor) -> torch.Tensor:
        """See the class."""
        body = self.body(lines)
        joined = torch.relu(body + self.outer(self.inner(body)))
        scores: torch.Tensor = self.head(joined)
        return scores.squeeze(2)
