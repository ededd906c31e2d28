"""Write a TensorFlow Lite graph as ONNX, in the form in which onnxruntime is quick at it.

Pictures become (batch, channels, height, width), which onnxruntime keeps in its blocked layout as long as only convolutions, poolings,
additions and Relu follow one another. So the rest is written with these: ``PRELU`` as ``a x + (1 - a) relu(x)``, which holds for
every slope, with two convolutions of one weight a channel; the padding of channels as a convolution with ones on its diagonal.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.face.tflite import Kind, LiteGraph, LiteOperator, Padding

_OPSET = 17
_IR_VERSION = 8


def to_onnx(graph: LiteGraph) -> Any:
    """Return ``graph`` as an ONNX model. Its input is (batch, channels, height, width), its outputs are flat: (batch, n).

    Input and outputs are called as in the file. Raises ValueError for a graph that cannot be written so: an output or a reshaped tensor
    that is neither flat nor one place of a picture, or a padding of anything but channels.
    """
    writer = _Writer(graph)
    for number in graph.inputs:
        writer.names[number] = graph.tensors[number].name
    for operator in graph.operators:
        writer.write(operator)
    outputs = [writer.finish(number) for number in graph.outputs]
    inputs = [_value(graph.tensors[number].name, _picture(graph.tensors[number].shape)) for number in graph.inputs]
    body = helper.make_graph(writer.nodes, "tflite", inputs, outputs, initializer=writer.constants)
    return helper.make_model(
        body, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="tongguan"
    )


class _Writer:
    def __init__(self, graph: LiteGraph) -> None:
        self._graph = graph
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.names: dict[int, str] = {}

    def write(self, operator: LiteOperator) -> None:
        first, (output,) = self.names[operator.inputs[0]], operator.outputs
        name = f"t{output}"
        match operator.kind:
            case Kind.CONV_2D | Kind.DEPTHWISE_CONV_2D:
                self._convolution(operator, first, name)
            case Kind.PRELU:
                self._prelu(first, self._constant_of(operator.inputs[1]).reshape(-1), name)
            case Kind.ADD:
                self._add("Add", [first, self.names[operator.inputs[1]]], name)
            case Kind.MAX_POOL_2D:
                size = self._graph.tensors[operator.inputs[0]].shape[1:3]
                self._add("MaxPool", [first], name, kernel_shape=operator.window, **_window(operator, size))
            case Kind.PAD:
                self._pad_channels(operator, first, name)
            case Kind.RESHAPE:
                self._check_flat(operator.inputs[0])
                self._add("Flatten", [first], name)
        self.names[output] = name

    def finish(self, number: int) -> Any:
        """Add the flat output and return its description."""
        name = self._graph.tensors[number].name
        self._check_flat(number)
        self._add("Flatten", [self.names[number]], name)
        return _value(name, ("batch", int(np.prod(self._graph.tensors[number].shape))))

    def _convolution(self, operator: LiteOperator, source: str, name: str) -> None:
        weight, bias = (self._constant_of(number) for number in operator.inputs[1:3])
        is_depthwise = operator.kind is Kind.DEPTHWISE_CONV_2D
        # (1, rows, columns, channels) of a depthwise one, else (out, rows, columns, in).
        turned = weight.transpose(3, 0, 1, 2) if is_depthwise else weight.transpose(0, 3, 1, 2)
        size = self._graph.tensors[operator.inputs[0]].shape[1:3]
        self._convolve(
            source,
            turned,
            bias,
            name,
            group=len(bias) if is_depthwise else 1,
            **_window(operator, size, weight.shape[1:3]),
        )

    def _prelu(self, source: str, slopes: NDArray[Any], name: str) -> None:
        positive = self._add("Relu", [source], f"{name}_positive")
        zeros = np.zeros_like(slopes)
        parts = [
            self._convolve(of, factor[:, None, None, None], zeros, f"{name}_{what}", group=len(slopes))
            for of, factor, what in ((source, slopes, "sloped"), (positive, 1 - slopes, "rest"))
        ]
        self._add("Add", parts, name)

    def _pad_channels(self, operator: LiteOperator, source: str, name: str) -> None:
        before_after = self._constant_of(operator.inputs[1])
        more = int(before_after[3, 1])
        if before_after.sum() != more:
            raise ValueError("only channels can be padded, behind the last")
        channels = self._graph.tensors[operator.inputs[0]].shape[3]
        ones = np.eye(channels + more, channels, dtype=np.float32)[:, :, None, None]
        self._convolve(source, ones, np.zeros(channels + more, np.float32), name)

    def _convolve(self, source: str, weight: NDArray[Any], bias: NDArray[Any], name: str, **attributes: Any) -> str:
        for what, value in (("weight", weight), ("bias", bias)):
            array = np.ascontiguousarray(value, np.float32)
            self.constants.append(numpy_helper.from_array(array, f"{name}_{what}"))
        return self._add("Conv", [source, f"{name}_weight", f"{name}_bias"], name, **attributes)

    def _add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def _constant_of(self, number: int) -> NDArray[Any]:
        value = self._graph.tensors[number].value
        if value is None:
            raise ValueError(f"tensor {self._graph.tensors[number].name!r} should be a constant")
        return value

    def _check_flat(self, number: int) -> None:
        """Elements keep their order from (h, w, c) to (c, h, w) only if there is one place, or one channel."""
        shape = self._graph.tensors[number].shape
        if len(shape) == 4 and shape[1] * shape[2] != 1 and shape[3] != 1:
            raise ValueError(f"tensor {self._graph.tensors[number].name!r} of shape {shape} cannot be flattened")


def _window(
    operator: LiteOperator, size: tuple[int, ...], window: tuple[int, ...] | None = None
) -> Mapping[str, Sequence[int]]:
    """Strides and paddings as ONNX has them. SAME gives the odd pixel to the end (TensorFlow, "Notes on padding")."""
    pads = [0, 0]
    if operator.padding is Padding.SAME:
        sides = zip(size, window or operator.window, operator.stride, strict=True)
        pads = [max((-(-length // step) - 1) * step + reach - length, 0) for length, reach, step in sides]
    before = [total // 2 for total in pads]
    after = [total - first for total, first in zip(pads, before, strict=True)]
    return {"strides": operator.stride, "pads": [*before, *after]}


def _picture(shape: tuple[int, ...]) -> tuple[int | str, ...]:
    _, height, width, channels = shape
    return "batch", channels, height, width


def _value(name: str, shape: tuple[int | str, ...]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
