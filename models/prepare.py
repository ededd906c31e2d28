"""Turn a published weight file into the file we run, once and deterministically.

OpenCV Zoo's block-quantised YuNet and SFace do not run in current onnxruntime as published: SFace lists its quantised
weights as required inputs, YuNet's per-tensor ``DequantizeLinear`` carries a ``block_size`` that ONNX forbids there
(ONNX operators, DequantizeLinear-21: ``block_size`` needs a scale of the same rank), and its input is fixed at 640x640.
Expanding the weights to float32 cures all three and computes the same function. MediaPipe's face mesh is published for TensorFlow Lite
and written as ONNX (:mod:`models.face.convert`).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from models.face.convert import to_onnx
from models.face.rewrite import rewrite_sface
from models.face.tflite import read_tflite
from models.manifest import Preparation

_BLANK = 0
_LATIN = frozenset(chr(code) for code in (*range(0x20, 0x7F), *range(0xC0, 0x250)))


def prepare(source: bytes, preparation: Preparation) -> bytes:
    """Return the prepared model file. The same source gives the same bytes.

    Raises ValueError if the source is not the graph this preparation was written for.
    """
    if preparation is Preparation.NONE:
        return source
    if preparation is Preparation.TFLITE:
        model = to_onnx(read_tflite(source))
    else:
        model = onnx.load_model_from_string(source)
        _TRANSFORMS[preparation](model)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _expand_quantised(model: Any) -> None:
    """Replace ``DequantizeLinear`` (+ ``Reshape``) of constants by float32 constants; free the input's size."""
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    expanded: dict[str, np.ndarray] = {}
    kept = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            quantised, scale, zero_point = (constants[name] for name in node.input)
            expanded[node.output[0]] = _dequantise(quantised, scale, zero_point, _attribute(node, "axis"))
        elif node.op_type == "Reshape" and node.input[0] in expanded:
            expanded[node.output[0]] = expanded.pop(node.input[0]).reshape(constants[node.input[1]])
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input}
    initialisers = [tensor for tensor in graph.initializer if tensor.name in used]
    initialisers += [numpy_helper.from_array(array, name) for name, array in expanded.items() if name in used]
    stored = {tensor.name for tensor in initialisers}
    # A graph input that no node reads, or that repeats a constant, is a leftover of the quantiser.
    inputs = [value for value in graph.input if value.name in used and value.name not in stored]
    if len(inputs) != 1:
        raise ValueError(f"expected one input, found {[value.name for value in inputs]}")
    _replace(graph.node, kept)
    _replace(graph.initializer, initialisers)
    _replace(graph.input, inputs)
    if any(node.op_type == "Resize" for node in kept):
        _free_height_and_width(graph)
    # Shapes recorded for the fixed size would contradict the dynamic ones.
    del graph.value_info[:]


def _sface(model: Any) -> None:
    """Expand the weights, then write the activations the way onnxruntime is quick at (:mod:`models.face.rewrite`)."""
    _expand_quantised(model)
    rewrite_sface(model)


def _free_height_and_width(graph: Any) -> None:
    dims = graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_param, dims[3].dim_param = "height", "width"
    for output in graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"priors_{output.name.rsplit('_', 1)[-1]}"


def _dequantise(quantised: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, axis: int) -> np.ndarray:
    """ONNX DequantizeLinear-21 for per-tensor and blocked scales, in float32."""
    if scale.shape != (1,):
        blocks = -(-quantised.shape[axis] // scale.shape[axis])
        scale = np.repeat(scale, blocks, axis=axis).take(range(quantised.shape[axis]), axis=axis)
        zero_point = np.repeat(zero_point, blocks, axis=axis).take(range(quantised.shape[axis]), axis=axis)
    difference = quantised.astype(np.int32) - zero_point.astype(np.int32)
    return np.asarray(difference.astype(np.float32) * scale.astype(np.float32), dtype=np.float32)


def _latin_head(model: Any) -> None:
    """Keep the blank, the Latin columns and the space (last, and not in the model's own list) of the recogniser's last layer."""
    graph = model.graph
    properties = {prop.key: prop for prop in model.metadata_props}
    characters = [*properties["character"].value.split("\n"), " "]
    kept = [index for index, character in enumerate(characters) if character in _LATIN]
    columns = [_BLANK, *(index + 1 for index in kept)]
    matmul = next(node for node in reversed(graph.node) if node.op_type == "MatMul")
    add = next(node for node in graph.node if node.op_type == "Add" and matmul.output[0] in node.input)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for name in (*matmul.input, *add.input):
        if name in constants:
            array = numpy_helper.to_array(constants[name])
            if array.shape[-1] != len(characters) + 1:
                raise ValueError(
                    f"the last layer has {array.shape[-1]} columns for {len(characters)} characters and a blank"
                )
            constants[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array[..., columns]), name))
    graph.output[0].type.tensor_type.shape.dim[2].dim_value = len(columns)
    properties["character"].value = "".join(characters[index] for index in kept)
    del graph.value_info[:]


def _attribute(node: Any, name: str) -> int:
    for attribute in node.attribute:
        if attribute.name == name:
            return int(helper.get_attribute_value(attribute))
    raise ValueError(f"{node.op_type} {node.output[0]} has no {name}")


def _replace(field: Any, values: list[Any]) -> None:
    copies = [type(value)() for value in values]
    for copy, value in zip(copies, values, strict=True):
        copy.CopyFrom(value)
    del field[:]
    field.extend(copies)


_TRANSFORMS: dict[Preparation, Callable[[Any], None]] = {
    Preparation.EXPAND_QUANTISED: _expand_quantised,
    Preparation.SFACE: _sface,
    Preparation.LATIN_HEAD: _latin_head,
}
