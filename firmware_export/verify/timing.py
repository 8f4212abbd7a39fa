"""Estimate the cycles of single instructions on each core, the static part of the cycle model.

Every number is an estimate; ``docs/cycle-model.md`` says where they come from, what they leave out
and how to check them on hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from capstone import CsInsn
from capstone import arm_const as arm


@dataclass(frozen=True, kw_only=True)
class CoreTiming:
    """Cycles of the instructions that do not take exactly one cycle.

    Attributes:
        load: one load from memory.
        pipelined_load: a load or store right behind another load or store.
        store: one store.
        refill: what a taken branch adds to its one cycle.
        call_refill: what a call (BL) adds to its one cycle.
        divide: integer division.
        float_multiply_add: VMLA, VFMA and similar instructions.
        float_divide: VDIV and VSQRT.
        float_result: wait of an instruction that reads the floating-point result of the previous
            one.
    """

    load: int
    pipelined_load: int
    store: int
    refill: int
    call_refill: int
    divide: int = 12
    float_multiply_add: int = 3
    float_divide: int = 14
    float_result: int = 1


# Arm DDI 0439B, table 3-1 and section 3.3.3, table 7-1 for floating point. Refill P is 1 to 3
# there, division 2 to 12: the middle and the worst are taken.
CORTEX_M4 = CoreTiming(load=2, pipelined_load=1, store=1, refill=2, call_refill=2)

TIMINGS = {
    # Arm DDI 0484C, table 3-1, with the single-cycle multiplier (RP2040 data sheet).
    "cortex-m0plus": CoreTiming(load=2, pipelined_load=2, store=2, refill=1, call_refill=2),
    "cortex-m4": CORTEX_M4,
    # Arm publishes no table for the M33, whose pipeline is about as deep as the M4's.
    "cortex-m33": CORTEX_M4,
    # Nor for the M7. Taken as issuing one instruction a cycle from predicted branches and tightly
    # coupled memory; two a cycle, which it often manages, are left out.
    "cortex-m7": CoreTiming(
        load=1, pipelined_load=1, store=1, refill=0, call_refill=0, float_result=2
    ),
}

_LOADS = {
    arm.ARM_INS_LDR, arm.ARM_INS_LDRB, arm.ARM_INS_LDRH, arm.ARM_INS_LDRSB, arm.ARM_INS_LDRSH,
    arm.ARM_INS_VLDR, arm.ARM_INS_VSTR,  # table 7-1 gives both the same two cycles
}  # fmt: skip
_STORES = {arm.ARM_INS_STR, arm.ARM_INS_STRB, arm.ARM_INS_STRH}
_MULTIPLE = {
    arm.ARM_INS_LDM, arm.ARM_INS_LDMDB, arm.ARM_INS_STM, arm.ARM_INS_STMDB,
    arm.ARM_INS_VLDMIA, arm.ARM_INS_VLDMDB, arm.ARM_INS_VSTMIA, arm.ARM_INS_VSTMDB,
}  # fmt: skip
_STACK = {arm.ARM_INS_PUSH, arm.ARM_INS_POP, arm.ARM_INS_VPUSH, arm.ARM_INS_VPOP}
_DOUBLE = {arm.ARM_INS_LDRD, arm.ARM_INS_STRD}
_DIVIDES = {arm.ARM_INS_SDIV, arm.ARM_INS_UDIV}
_FLOAT_MULTIPLY_ADDS = {
    arm.ARM_INS_VMLA, arm.ARM_INS_VMLS, arm.ARM_INS_VNMLA, arm.ARM_INS_VNMLS,
    arm.ARM_INS_VFMA, arm.ARM_INS_VFMS, arm.ARM_INS_VFNMA, arm.ARM_INS_VFNMS,
}  # fmt: skip
_FLOAT_DIVIDES = {arm.ARM_INS_VDIV, arm.ARM_INS_VSQRT}
_FLOAT_ARITHMETIC = _FLOAT_MULTIPLY_ADDS | {
    arm.ARM_INS_VADD, arm.ARM_INS_VSUB, arm.ARM_INS_VMUL, arm.ARM_INS_VNMUL, arm.ARM_INS_VCVT,
    arm.ARM_INS_VCVTR,
}  # fmt: skip
_TABLE_BRANCHES = {arm.ARM_INS_TBB, arm.ARM_INS_TBH}

# Instructions that fault on hardware where the address is not a multiple of four; Unicorn lets
# them pass (Armv7-M architecture reference manual, A3.2.1).
NEEDS_ALIGNMENT = _MULTIPLE | _STACK | _DOUBLE | {arm.ARM_INS_VLDR, arm.ARM_INS_VSTR}


def block_cycles(instructions: Sequence[CsInsn], timing: CoreTiming) -> int:
    """Return the cycles of a straight run of instructions, a branch at its end not taken.

    Args:
        instructions: decoded with detail, in order.
        timing: the core's table.
    """
    total = 0
    previous: CsInsn | None = None
    for instruction in instructions:
        total += _cycles(instruction, previous, timing)
        previous = instruction
    return total


def _cycles(instruction: CsInsn, previous: CsInsn | None, timing: CoreTiming) -> int:
    kind = instruction.id
    wait = 0
    if previous is not None and previous.id in _FLOAT_ARITHMETIC:
        result = previous.operands[0].reg
        wait = timing.float_result if result in instruction.regs_access()[0] else 0
    if kind in _LOADS or kind in _STORES:
        follows_access = previous is not None and previous.id in _LOADS | _STORES
        if follows_access:
            return wait + timing.pipelined_load
        return wait + (timing.load if kind in _LOADS else timing.store)
    if kind in _MULTIPLE:
        return wait + 1 + len(instruction.operands) - 1  # the first operand is the address
    if kind in _STACK:
        return wait + 1 + len(instruction.operands)
    if kind in _DOUBLE:
        return wait + 1 + 2
    if kind in _TABLE_BRANCHES:
        return wait + timing.load
    if kind in _DIVIDES:
        return wait + timing.divide
    if kind in _FLOAT_MULTIPLY_ADDS:
        return wait + timing.float_multiply_add
    if kind in _FLOAT_DIVIDES:
        return wait + timing.float_divide
    return wait + 1
