"""Write SFace's graph so that it computes the same numbers in half the time.

onnxruntime runs PRelu element by element, outside the blocked layout of its convolutions; that was 60 % of the network's
time. ``PRelu(x) = a x + (1 - a) relu(x)`` holds for every slope ``a``, of either sign. Written as
``(1 - a) (relu(x) + a / (1 - a) x)`` the factor moves into the next layer's weights, and what is left are convolutions with
an addition, which onnxruntime fuses: a depthwise convolution is done twice (it is cheap), a pointwise one is followed
by a scaling of its channels. The batch normalisations, the input's scale and the output's are folded into weights too.

The last layer is a quarter of all weights and used once a face, so its time is that of reading it from memory. It was published in
8 bits with a scale for each 64 weights, and is written so again, with what was folded in: a template's cosine to the float one's is
0.99999 or more. The convolutions stay float32: in 8 bits they were measured hardly faster without VNNI instructions.

All arithmetic is elementwise or summed in order, in float64, so that every machine writes the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[np.float64]

_SMALLEST_REST = 1e-3
"""Slopes nearer to 1 than this would lose digits in ``a / (1 - a)``; the published weights come no nearer than 0.003."""


CONTRIB_DOMAIN = "com.microsoft"
_BLOCK = 64
_INT8_ACTIVATIONS = 4
_TINY = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """A convolution with its normalisation folded in: weight (out, in / groups, rows, columns), bias and slope (out,)."""

    weight: Array
    bias: Array
    slope: Array
    attributes: dict[str, Any]

    @property
    def is_depthwise(self) -> bool:
        return int(self.attributes.get("group", 1)) == len(self.bias)


def rewrite_sface(model: Any) -> None:
    """Rewrite the graph of ``model`` (float32 weights) in place; the batch becomes dynamic. Only onnxruntime runs the result.

    Raises ValueError if the graph is not: Sub, Mul, (Conv, BatchNormalization, PRelu) x n, BatchNormalization, Dropout,
    Flatten, Gemm, BatchNormalization.
    """
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    kinds = [node.op_type for node in nodes]
    count = kinds.count("Conv")
    expected = ["Sub", "Mul", *["Conv", "BatchNormalization", "PRelu"] * count]
    if kinds != [*expected, "BatchNormalization", "Dropout", "Flatten", "Gemm", "BatchNormalization"]:
        raise ValueError(f"the graph is not SFace's: {' '.join(kinds)}")
    if any(later.input[0] != node.output[0] for node, later in pairwise(nodes)):
        raise ValueError("the graph is not SFace's: it is not one chain")

    writer = _Writer(input_name=nodes[0].input[0], output_name=nodes[-1].output[0])
    writer.subtract(constants[nodes[0].input[1]])
    factor = np.float64(constants[nodes[1].input[1]]).reshape(-1)
    for i in range(count):
        conv, norm, prelu = nodes[2 + 3 * i : 5 + 3 * i]
        layer = _fold(conv, norm, prelu, constants)
        factor = writer.layer(layer, factor)
    writer.head(_fold_head(nodes[-5], nodes[-2], nodes[-1], constants), factor)

    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(writer.nodes)
    graph.initializer.extend(writer.constants)
    model.opset_import.append(helper.make_opsetid(CONTRIB_DOMAIN, 1))
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"


class _Writer:
    def __init__(self, *, input_name: str, output_name: str) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._last = input_name
        self._output_name = output_name
        self._count = 0

    def subtract(self, mean: NDArray[np.float32]) -> None:
        self._last = self._add("Sub", [self._last, self._constant("mean", mean)], "centred")

    def layer(self, layer: _Layer, factor: Array) -> Array:
        """Add one layer, whose input still lacks ``factor``; return the factor that its own output lacks."""
        i = self._count = self._count + 1
        per_input = factor[:, None, None, None] if layer.is_depthwise else factor[None, :, None, None]
        weight, rest = layer.weight * per_input, 1 - layer.slope
        if np.abs(rest).min() < _SMALLEST_REST:
            raise ValueError(f"layer {i} has a slope too near to 1 to be rewritten")
        ratio = layer.slope / rest
        plain = self._convolve(f"layer{i}", weight, layer.bias, layer.attributes)
        if layer.is_depthwise:
            scaled_weight = weight * ratio[:, None, None, None]
            scaled = self._convolve(f"layer{i}_scaled", scaled_weight, layer.bias * ratio, layer.attributes)
            positive = self._add("Relu", [plain], f"layer{i}_positive")
        else:
            positive = self._add("Relu", [plain], f"layer{i}_positive")
            slopes = self._constant(f"layer{i}_slopes", ratio[:, None, None, None])
            attributes = {"group": len(ratio), "kernel_shape": [1, 1]}
            scaled = self._add("Conv", [plain, slopes], f"layer{i}_scaled", **attributes)
        self._last = self._add("Add", [scaled, positive], f"layer{i}_out")
        return rest

    def head(self, weight_and_bias: tuple[Array, Array], factor: Array) -> None:
        weight, bias = weight_and_bias
        weight = _per_channel(weight, factor)
        if weight.shape[1] % _BLOCK:
            raise ValueError(f"the last layer's {weight.shape[1]} inputs are no whole number of blocks of {_BLOCK}")
        blocks = weight.reshape(len(weight), -1, _BLOCK)
        scales = np.maximum(np.abs(blocks).max(axis=2), _TINY) / 127
        # Unsigned with the default zero point of 128 (com.microsoft.MatMulNBits-1).
        levels = (np.round(blocks / scales[:, :, None]) + 128).astype(np.uint8)
        self.constants.append(numpy_helper.from_array(levels, "head_levels"))
        flat = self._add("Flatten", [self._last], "flat")
        product = self._add(
            "MatMulNBits",
            [flat, "head_levels", self._constant("head_scales", scales)],
            "head",
            domain=CONTRIB_DOMAIN,
            K=weight.shape[1],
            N=len(weight),
            bits=8,
            block_size=_BLOCK,
            accuracy_level=_INT8_ACTIVATIONS,
        )
        self._add("Add", [product, self._constant("head_bias", bias)], self._output_name)

    def _convolve(self, name: str, weight: Array, bias: Array, attributes: dict[str, Any]) -> str:
        names = [self._last, self._constant(f"{name}_weight", weight), self._constant(f"{name}_bias", bias)]
        return self._add("Conv", names, name, **attributes)

    def _add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name


def _fold(conv: Any, norm: Any, prelu: Any, constants: dict[str, NDArray[Any]]) -> _Layer:
    factor, offset = _normalisation(norm, constants)
    return _Layer(
        weight=constants[conv.input[1]].astype(np.float64) * factor[:, None, None, None],
        bias=offset,
        slope=constants[prelu.input[1]].astype(np.float64).reshape(-1),
        attributes={item.name: helper.get_attribute_value(item) for item in conv.attribute},
    )


def _fold_head(before: Any, gemm: Any, after: Any, constants: dict[str, NDArray[Any]]) -> tuple[Array, Array]:
    """The fully connected layer with the normalisations before and after it."""
    weight = constants[gemm.input[1]].astype(np.float64)
    factor, offset = _normalisation(before, constants)
    # cumsum adds from left to right on every machine; sum does not.
    moved = np.cumsum(_per_channel(weight, offset), axis=1)[:, -1]
    bias = constants[gemm.input[2]].astype(np.float64) + moved
    weight = _per_channel(weight, factor)
    factor, offset = _normalisation(after, constants)
    return weight * factor[:, None], bias * factor + offset


def _per_channel(weight: Array, values: Array) -> Array:
    """Multiply (out, channels x places) by one value a channel."""
    return np.asarray((weight.reshape(len(weight), len(values), -1) * values[None, :, None]).reshape(weight.shape))


def _normalisation(node: Any, constants: dict[str, NDArray[Any]]) -> tuple[Array, Array]:
    """Factor and offset that BatchNormalization applies to each channel (ONNX BatchNormalization-15, inference)."""
    scale, shift, mean, variance = (constants[name].astype(np.float64) for name in node.input[1:5])
    epsilon = next((helper.get_attribute_value(item) for item in node.attribute if item.name == "epsilon"), 1e-5)
    factor = scale / np.sqrt(variance + epsilon)
    return factor, shift - mean * factor
