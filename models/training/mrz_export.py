"""Write the trained network as the ONNX file that ships: ``python -m models.training.mrz_export``. Needs the extra ``train``.

Batch normalisation is folded into the convolutions and softmax is part of the graph, so that whoever runs the file
gets distributions. The file's metadata names the classes, the recipe and its seed.
"""

import argparse
import hashlib
import io
import warnings
from pathlib import Path

import onnx
import torch
from torch import nn

from gate.checks.mrz import CHARACTERS
from models.document.recogniser import OCRB_LINE_HEIGHT_PX, OCRB_PLACE_WIDTH_PX
from models.training.mrz_net import LineNet

OPSET = 17
SHIPPED = Path(__file__).parent.parent / "document" / "mrz_ocrb.onnx"


class _Distributions(nn.Module):
    def __init__(self, net: LineNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, lines: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.net(lines), dim=1).transpose(1, 2)


def export(weights: Path, output: Path) -> str:
    """Write ``output`` and return its sha256 (hex). Input ``lines`` (batch, 1, 32, width), output (batch, width / 4, 38)."""
    net = LineNet()
    net.load_state_dict(torch.load(weights, weights_only=True))
    example = torch.zeros(2, 1, OCRB_LINE_HEIGHT_PX, 44 * OCRB_PLACE_WIDTH_PX)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter based on torch.export would need another dependency for the same seven layers.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            _Distributions(net).eval(),
            (example,),
            buffer,
            input_names=["lines"],
            output_names=["distributions"],
            dynamic_axes={"lines": {0: "batch", 3: "width"}, "distributions": {0: "batch", 1: "frames"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    model.graph.name = "mrz_ocrb"
    onnx.helper.set_model_props(model, {"character": CHARACTERS, "recipe": "models/training/REPORT.md"})
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    output.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def main() -> None:
    """Export and print the sha256 for the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=Path("build/mrz/mrz_ocrb.pt"))
    parser.add_argument("--output", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    print(export(arguments.weights, arguments.output), arguments.output)


if __name__ == "__main__":
    main()
