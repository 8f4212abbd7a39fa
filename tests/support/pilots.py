"""Pilots of single runtimes, and exported code as a rung to replay recorded frames through."""

from bytewing.firmware_export.target import load_target
from bytewing.firmware_export.verify.emulator import McuPolicy
from bytewing.firmware_export.verify.host import CPolicy
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.pilot import PolicyPilot
from bytewing.policies.runtimes import float_inference, int8_inference, network_pilot
from bytewing.scenarios.replay import Rung, stepped_rung
from bytewing.sim.pilot import Observation


def float_pilot(bundle: PolicyBundle) -> PolicyPilot[Observation]:
    """Return the pilot that flies ``float.onnx``."""
    return network_pilot(bundle.spec, float_inference(bundle.file("float.onnx")))


def onnx_pilot(bundle: PolicyBundle) -> PolicyPilot[Observation]:
    """Return the pilot that flies ``int8.onnx`` on onnxruntime's integer kernels."""
    return network_pilot(bundle.spec, int8_inference(bundle.file("int8.onnx"), bundle.spec))


def exported_rung(runtime: str, bundle: PolicyBundle) -> Rung:
    """Return ``c``, or ``mcu`` on an STM32F405, as a rung to replay recorded frames through."""
    if runtime == "c":
        return stepped_rung(CPolicy(bundle))
    return stepped_rung(McuPolicy(bundle, load_target("stm32f405")))
