"""One way to run a model: fixed threads, bounded memory, its hash at hand, its bare time counted."""

import threading
import time
from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

from models.errors import ModelError
from models.store import ModelStore


class ModelSession:
    """A loaded model. Thread-safe: several threads may call :meth:`run` at once.

    ``threads`` is onnxruntime's intra-op thread count; operators run one after the other. The CPU arena is off: it was
    measured no faster for these models, and with inputs of varying width it only grows.

    Raises ModelError if the prepared file is missing, corrupt or not loadable.
    """

    def __init__(self, store: ModelStore, name: str, *, threads: int = 1) -> None:
        self.name = name
        self.entry = store.manifest.entry(name)
        data, self.model_hash = store.load(name)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        # A spinning pool would take a core from the lane's other work between frames.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            # onnxruntime raises its own unrelated exception types, without a common base below Exception.
            raise ModelError(f"model {name!r} cannot be loaded by onnxruntime: {_first_line(error)}") from error
        self.input_name: str = self._session.get_inputs()[0].name
        self.output_names: tuple[str, ...] = tuple(output.name for output in self._session.get_outputs())
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self._lock = threading.Lock()
        self._inference_ns = 0
        self._calls = 0

    @property
    def inference_ns(self) -> int:
        """Cumulative time spent inside onnxruntime's run, without warm-up."""
        return self._inference_ns

    @property
    def calls(self) -> int:
        """How many times the model ran, without warm-up."""
        return self._calls

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model on named arrays and return its outputs in graph order."""
        started_ns = time.perf_counter_ns()
        outputs: list[np.ndarray] = self._session.run(None, feeds)
        elapsed_ns = time.perf_counter_ns() - started_ns
        with self._lock:
            self._inference_ns += elapsed_ns
            self._calls += 1
        return outputs

    def warm_up(self) -> None:
        """Run once on zeros so that the first traveller does not pay for lazy initialisation."""
        feeds = {tensor.name: np.zeros(tensor.warm_up, np.float32) for tensor in self.entry.inputs}
        self._session.run(None, feeds)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
