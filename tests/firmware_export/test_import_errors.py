"""What cannot be imported is refused in one line that names the file, the node and the remedy."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from bytewing.firmware_export.onnx_import import import_onnx
from bytewing.foundation.errors import BadInputError
from support.qdq import QdqBuilder, road_like


def small(**conv) -> QdqBuilder:
    b = QdqBuilder((1, 6, 6), 0)
    x = b.random_conv(b.input, 2, (3, 3), out=(0.03, -128), **conv)
    b.output(b.random_gemm(b.flatten(x), 2), "y")
    return b


def node_of(model: onnx.ModelProto, op: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.op_type == op)


def constant_of(model: onnx.ModelProto, name: str, value: np.ndarray) -> None:
    for item in model.graph.initializer:
        if item.name == name:
            item.CopyFrom(numpy_helper.from_array(np.asarray(value), name))


def set_attribute(node: onnx.NodeProto, name: str, value: object) -> None:
    kept = [item for item in node.attribute if item.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])


def weights_of(model: onnx.ModelProto, op: str, index: int = 1) -> onnx.NodeProto:
    name = node_of(model, op).input[index]
    return next(node for node in model.graph.node if name in node.output)


def unknown_operator(m):
    node_of(m, "Conv").op_type = "ConvInteger"
    del node_of(m, "ConvInteger").input[2:]


def softmax(m):
    node_of(m, "Flatten").op_type = "Softmax"


def foreign_domain(m):
    node_of(m, "Conv").domain = "com.microsoft"
    m.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def old_opset(m):
    m.opset_import[0].version = 11


def uint8_activation(m):
    constant_of(m, node_of(m, "QuantizeLinear").input[2], np.uint8(0))


def unpinned_input(m):
    constant_of(m, node_of(m, "QuantizeLinear").input[1], np.float32(0.003647))


def asymmetric_weights(m):
    constant_of(m, weights_of(m, "Gemm").input[2], np.int8(3))


def float_weights(m):
    node = weights_of(m, "Gemm")
    shape = next(i.dims for i in m.graph.initializer if i.name == node.input[0])
    constant = numpy_helper.from_array(np.zeros(list(shape), np.float32), "float_weights")
    m.graph.initializer.append(constant)
    node_of(m, "Gemm").input[1] = "float_weights"


def foreign_bias_scale(m):
    constant_of(m, weights_of(m, "Gemm", 2).input[1], np.float32(0.5))


def same_padding(m):
    set_attribute(node_of(m, "Conv"), "auto_pad", "SAME_UPPER")


def huge_multiplier(m):
    last = [node for node in m.graph.node if node.op_type == "QuantizeLinear"][-1]
    constant_of(m, last.input[1], np.float32(1e-9))


def gemm_alpha(m):
    set_attribute(node_of(m, "Gemm"), "alpha", 0.5)


def flatten_to_rows(m):
    set_attribute(node_of(m, "Flatten"), "axis", 2)


def dynamic_input(m):
    m.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"


def two_inputs(m):
    extra = helper.make_tensor_value_info("more", onnx.TensorProto.FLOAT, [1, 1, 2, 2])
    m.graph.input.append(extra)


def negative_scale(m):
    constant_of(m, node_of(m, "QuantizeLinear").input[1], np.float32(-1))


DEFECTS = {
    unknown_operator: "ConvInteger is not supported",
    softmax: "Softmax is not supported",
    foreign_domain: "operator Conv of domain 'com.microsoft'",
    old_opset: "opset 11 is not supported",
    uint8_activation: "must be int8, not uint8",
    unpinned_input: "must be 1/255 and -128",
    asymmetric_weights: "zero point 0",
    float_weights: "not quantised",
    foreign_bias_scale: "bias must have the scale",
    same_padding: "auto_pad",
    huge_multiplier: "larger scale",
    gemm_alpha: "alpha must be 1",
    flatten_to_rows: "flattening",
    dynamic_input: "fixed shape",
    two_inputs: "one input, not 2",
    negative_scale: "positive",
}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_each_defect_is_named_in_one_line(defect, tmp_path):
    model = small().model()
    defect(model)
    path = tmp_path / "int8.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(BadInputError) as caught:
        import_onnx(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert DEFECTS[defect] in message
    assert "\n" not in message


def test_the_node_is_named():
    model = small().model()
    unknown_operator(model)
    name = node_of(model, "ConvInteger").name
    with pytest.raises(BadInputError, match=rf"node '{name}' \(ConvInteger\)"):
        import_onnx(model.SerializeToString())


def test_relu_with_another_zero_point_is_refused():
    b = QdqBuilder((1, 6, 6), 0)
    x = b.random_conv(b.input, 2, (3, 3), out=(0.03, -100), relu=True)
    b.output(b.flatten(x), "y")
    with pytest.raises(BadInputError, match="zero point -128"):
        import_onnx(b.bytes())


def test_every_truncation_is_refused():
    """Wherever the file is cut: a network is only accepted whole."""
    data = small().bytes()
    import_onnx(data)
    for size in [*range(0, len(data), 97), len(data) - 1]:
        with pytest.raises(BadInputError) as caught:
            import_onnx(data[:size])
        assert "\n" not in str(caught.value)


def test_files_that_are_not_onnx(tmp_path):
    path = tmp_path / "int8.onnx"
    with pytest.raises(BadInputError, match="cannot be read"):
        import_onnx(path)
    for content in (b"", b"\x00" * 64, b"not a network at all", bytes(range(256)) * 8):
        path.write_bytes(content)
        with pytest.raises(BadInputError, match="ONNX"):
            import_onnx(path)


def test_a_clip_that_the_range_already_is_is_folded():
    b = QdqBuilder((1, 6, 6), 0)
    weights = b.rng.integers(-127, 128, (2, 1, 3, 3))
    limits = [b.constant(np.float32(0)), b.constant(np.float32(6))]
    x = b.conv(b.input, weights, out=(0.02, -128))
    clipped = b.node("Clip", [x, *limits])
    y = b.finish(clipped, 6 / 255, -128, b.shapes[x])
    b.output(b.flatten(y), "y")
    kinds = [layer.kind for layer in import_onnx(b.bytes()).layers]
    assert kinds == ["conv", "clip", "flatten"], "a Clip between int8 tensors is a table"


def test_flatten_costs_nothing_before_a_fully_connected_layer():
    kinds = [layer.kind for layer in import_onnx(road_like(0).bytes()).layers]
    assert "flatten" not in kinds
