"""The graph that onnxruntime really executes."""

from collections import Counter
from pathlib import Path

import onnx
import onnxruntime

from bytewing.policies.runtimes import session_options


def optimised_operators(model: bytes, folder: Path) -> Counter[str]:
    """Return how many nodes of each operator remain after onnxruntime has optimised a model.

    Args:
        model: the ONNX file's content.
        folder: where onnxruntime may leave its graph.
    """
    path = folder / "optimised.onnx"
    options = session_options()
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(path).graph.node)
