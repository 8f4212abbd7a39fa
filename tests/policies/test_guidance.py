"""Gas guidance finds leaks, reports nothing where there is none, and keeps off walls."""

import math

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from bytewing.policies.bundle import (
    Golden,
    InputSpec,
    PolicyBundle,
    PolicySpec,
    Provenance,
    load_bundle,
    save_bundle,
)
from bytewing.policies.guidance.answer import NO_ROUTE, as_command
from bytewing.policies.guidance.kind import ROUTE_MAX
from bytewing.policies.guidance.registry import Guidance, make_guide
from bytewing.policies.network_inputs import stack_channels
from bytewing.policies.runtimes import network_pilot
from bytewing.policies.tasks.gas.leak_map import CELLS
from bytewing.policies.tasks.gas.phase import Phase
from bytewing.policies.tasks.road.learning import ROAD_GUIDANCE
from bytewing.policies.tasks.task import ZOO
from bytewing.sim.frames import quaternion_from_euler, rotation_world_from_body
from bytewing.sim.pilot import Observation
from support.gas_parts import Bearings, heading_of, inverse_root, norm, read, rotate, state_of
from support.gas_world import GUIDANCE, HALF_FOV, HALL, PITCH_RAD, GasWorld, route_of, said, search

TANK = (4.0, 4.0, 6.0, 6.0)
# How often it must go there at most: the second is round the tank's corner, out of sight of the
# first steps aside.
LEAKS = [((5.0, 4.0, 0.8), 1), ((6.05, 5.0, 1.4), 2), ((1.0, 5.5, 1.0), 1), ((3.9, 5.0, 0.3), 1)]
CALM = np.array([5, 5, 1, 0, 0, 0, 1, 4, 4, 4, 4, 1, 0, 0], np.float32)
GAS, CLEAN = said(0.95, 0.1, 0, 0.15), np.zeros(CELLS + 1, np.float32)


@pytest.fixture(autouse=True)
def no_float_errors():
    with np.errstate(all="raise", under="ignore"):
        yield


def phases(answers):
    """Return the phases in order, each once as long as it lasts."""
    all_ = answers[:, 4].astype(int).tolist()
    return [p for i, p in enumerate(all_) if i == 0 or p != all_[i - 1]]


def guide_in(phase, **constants):
    """Return a guide that has come to a phase, standing still."""
    guide = make_guide(GUIDANCE.model_copy(update=constants))
    guide.reset(route_of((9, 5, 1, 0.0)))
    last = Phase.PATROL
    for _ in range(400):
        if last == phase:
            return guide
        last = guide.step(GAS, CALM)[4]
    raise AssertionError(f"never came to {phase}")


# The search as a whole


@pytest.mark.parametrize(("leak", "tries"), LEAKS)
@pytest.mark.parametrize(("noise", "bound_m"), [(0.0, 0.005), (0.05, 0.03), (0.1, 0.06)])
def test_a_leak_is_found_and_reported_where_it_is(leak, tries, noise, bound_m):
    world = GasWorld(leak, [TANK], noise=noise, seed=1)
    guide = make_guide(GUIDANCE)
    answers = search(guide, world)
    assert phases(answers) in [[0, 1, 2] * n + [3, 4] for n in range(1, tries + 1)]
    assert np.linalg.norm(guide.report.leak_position_m - leak) < bound_m
    assert world.clearance_m > 0.35
    away_m = np.hypot(*(world.position[:2] - leak[:2]))
    assert 1.0 < away_m < 1.7


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_an_empty_site_is_patrolled_to_the_end_and_nothing_reported(noise):
    world = GasWorld(None, [TANK], noise=noise)
    guide = make_guide(GUIDANCE)
    answers = search(guide, world)
    assert phases(answers) == [0, 5]
    assert guide.report.leak_position_m is None
    assert np.hypot(*(world.position[:2] - (2.0, 8.5))) < 0.3
    assert 35 < world.t_s < 60


def test_what_stands_between_is_flown_round():
    """A wall that gas drifts over, with the leak behind it."""
    world = GasWorld((7.0, 5.0, 1.0), [(5.0, 4.0, 5.4, 6.5)], start=(1.0, 5.3, 1.0))
    world.hidden = lambda: False
    answers = search(make_guide(GUIDANCE), world, route_of((3.0, 5.3, 1.0, 0.0)))
    assert phases(answers) == [0, 1, 2, 3, 4]
    assert world.position[0] > 5.4, "past the wall"
    assert world.clearance_m > 0.25


@pytest.mark.parametrize("seed", range(12))
def test_no_outputs_fly_it_into_a_wall(seed):
    """A network that says anything: the ranges still keep the drone off."""
    rng = np.random.default_rng(seed)
    world = GasWorld(None, [TANK], start=(rng.uniform(0, 3), rng.uniform(0, 10), 1.0))
    guide = make_guide(GUIDANCE)
    guide.reset(route_of(*((*rng.uniform(-5, 15, 2), 1.0, rng.uniform(-3, 3)) for _ in range(5))))
    for step in range(600):
        if step % 40 == 0:
            claim = said(rng.uniform(0.5, 1), *rng.uniform(-1, 1, 2), rng.uniform())
        world.move(guide.step(claim, world.senses()))
    assert world.clearance_m > 0.15
    west, south, east, north = HALL
    assert west < world.position[0] < east
    assert south < world.position[1] < north


# Phases


def test_a_waypoint_wants_its_place_and_its_heading():
    guide = make_guide(GUIDANCE)
    guide.reset(route_of((5, 5, 1, math.pi / 2), (5, 5, 1, math.pi / 2)))
    answer = guide.step(CLEAN, CALM)
    command = as_command(answer)
    assert answer[4] == Phase.PATROL
    assert command.yaw_rate_rad_s > 0.5
    assert abs(command.forward_m_s) < 0.01
    turned = CALM.copy()
    turned[3:7] = quaternion_from_euler(0, 0, math.pi / 2)
    steps = 1 + round(GUIDANCE.last_look_s / GUIDANCE.step_s)
    answers = [guide.step(CLEAN, turned) for _ in range(1 + steps)]
    assert [answer[4] for answer in answers] == [Phase.PATROL] * steps + [Phase.NOTHING]
    assert np.abs([answer[:4] for answer in answers[1:]]).max() < 0.01, "it stands and looks"


def test_a_waypoint_that_cannot_be_reached_is_given_up():
    guide = make_guide(GUIDANCE)
    guide.reset(route_of((9, 5, 1, 0.0)))
    steps = round(GUIDANCE.waypoint_limit_s / GUIDANCE.step_s)
    answers = [guide.step(CLEAN, CALM) for _ in range(steps)]
    assert {answer[4] for answer in answers} == {Phase.PATROL}
    assert answers[-2][0] > 0.4
    assert answers[-1][0] == 0, "nowhere to go any more"


@pytest.mark.parametrize(("route", "phase"), [(NO_ROUTE, 1), (route_of((9, 5, 1, 0.0)), 0)])
def test_where_the_route_ends_weaker_evidence_will_do(route, phase):
    guide = make_guide(GUIDANCE)
    guide.reset(route)
    weak = said((GUIDANCE.last_at + GUIDANCE.confirm_at) / 2, 0.1, 0, 0.15)
    assert guide.step(weak, CALM)[4] == Phase.PATROL
    assert {guide.step(weak, CALM)[4] for _ in range(12)} == {0, phase}


def test_gas_that_does_not_last_is_looked_at_and_left():
    guide = guide_in(Phase.CONFIRM)
    answers = [guide.step(CLEAN, CALM) for _ in range(110)]
    assert phases(np.array(answers)) == [1, 0]
    assert np.abs(answers[0][:3]).max() < 0.01, "it stands while it looks"
    assert [guide.step(GAS, CALM)[4] for _ in range(60)] == [0] * 60, (
        "and evidence does not count for a while"
    )
    assert Phase.CONFIRM in [guide.step(GAS, CALM)[4] for _ in range(30)]


@pytest.mark.parametrize("phase", [Phase.APPROACH, Phase.HOVER])
def test_evidence_that_collapses_sends_it_back_to_the_route(phase):
    guide = guide_in(phase)
    away = CALM.copy()
    away[:2] += 1.0
    if phase == Phase.HOVER:
        state_of(guide)["evidence"] = 0.1  # lost just before it came there
    answers = np.array([guide.step(CLEAN, away) for _ in range(130)])
    assert phases(answers) == [phase, 0]
    assert answers[-1][0] < -0.3, "to where it left the route first"
    assert guide.step(CLEAN, CALM)[4] == Phase.PATROL
    assert guide.step(CLEAN, CALM)[0] > 0.4, "and from there to the waypoint it was flying to"


def turned(times):
    """Return the senses of a drone that has turned by so many times 1.2 rad."""
    senses = CALM.copy()
    senses[3:7] = quaternion_from_euler(0, 0, 1.2 * times)
    return senses


@pytest.mark.parametrize(("report_at", "phase"), [(0.77, 4), (0.81, 0)])
def test_a_report_rests_on_approach_more_than_on_hover(report_at, phase):
    """Sure of it all the way there, 0.3 in the hover: 0.79 in the mean."""
    guide = guide_in(Phase.HOVER, report_at=report_at)
    unsure = said(0.3, 0.1, 0, 0.15)
    steps = round(GUIDANCE.hover_s / GUIDANCE.step_s)
    assert phases(np.array([guide.step(unsure, CALM) for _ in range(steps)])) == [3, phase]


@pytest.mark.parametrize(
    ("more_m", "allowed", "doubts", "bound_m"),
    [(0.5, 1, 0, 0.2), (2.0, 0, 0, 0.6), (2.0, 1, 1, 0.3)],
)
def test_an_estimate_that_is_too_near_to_believe_is_looked_at_again(
    more_m, allowed, doubts, bound_m
):
    """A network that takes all for farther away costs time, and then not much of the place."""

    class Far(GasWorld):
        def outputs(self):
            return super().outputs() + np.append(np.zeros(CELLS), more_m / 8).astype(np.float32)

    guide = make_guide(GUIDANCE.model_copy(update={"doubts_max": allowed}))
    answers = search(guide, Far((5.0, 4.0, 0.8), [TANK]))
    assert phases(answers) == [0, 1, 2, 3] + [2, 3] * doubts + [4]
    assert np.linalg.norm(guide.report.leak_position_m - (5.0, 4.0, 0.8)) < bound_m


def test_a_hover_that_is_not_sure_at_its_end_reports_nothing():
    """Evidence that is not lost, but too little: an alarm like any other."""
    unsure = said(0.3, 0.1, 0, 0.15)
    steps = round(GUIDANCE.hover_s / GUIDANCE.step_s)
    guide = guide_in(Phase.HOVER, report_at=0.9)
    answers = np.array([guide.step(unsure, CALM) for _ in range(steps)])
    assert phases(answers) == [3, 0]
    assert answers[-2, 8] > GUIDANCE.lost_at, "not for being lost"
    assert answers[-1, 8] == 0

    guide.reset(route_of((9, 5, 1, 0.0)))
    last, alarms = 0, 0
    for _ in range(6000):
        phase = int(guide.step(unsure if last == Phase.HOVER else GAS, turned(alarms))[4])
        alarms += (last, phase) == (Phase.HOVER, Phase.PATROL)
        last = phase
        if phase >= Phase.REPORTED:
            break
    assert (alarms, last) == (GUIDANCE.alarms_max, Phase.NOTHING)


def test_false_alarms_are_few():
    """Gas that vanishes at every approach: after a few of them the patrol goes on regardless."""
    alarms, looks, last = vanishing(turned)
    assert (alarms, last) == (GUIDANCE.alarms_max, Phase.NOTHING)
    assert looks == alarms


def test_it_goes_nowhere_in_vain_three_times():
    alarms, looks, _ = vanishing(lambda _: CALM)
    assert alarms == 2
    assert looks > 4, "it does look there again"


def vanishing(senses):
    """Return how many approaches and looks gas that vanishes at every approach brings about.

    Args:
        senses: what is sensed after so many approaches.
    """
    guide = make_guide(GUIDANCE)
    guide.reset(route_of((9, 5, 1, 0.0)))
    alarms, looks, last = 0, 0, 0
    for _ in range(6000):
        phase = int(guide.step(CLEAN if last == Phase.APPROACH else GAS, senses(alarms))[4])
        alarms += (last, phase) == (Phase.APPROACH, Phase.PATROL)
        looks += (last, phase) == (Phase.PATROL, Phase.CONFIRM)
        last = phase
        if phase == Phase.NOTHING:
            break
    return alarms, looks, last


def test_a_result_stays_and_the_drone_with_it():
    guide = guide_in(Phase.REPORTED)
    first = guide.step(GAS, CALM)
    away = CALM.copy()
    away[0] += 1.0
    for _ in range(300):
        last = guide.step(CLEAN, away)
    assert last[4:8].tobytes() == first[4:8].tobytes()
    assert last[0] < -0.4


def test_reset_forgets_everything():
    route, rng = route_of((9, 5, 1, 0.0)), np.random.default_rng(0)
    guide = make_guide(GUIDANCE)
    rows = [said(*rng.uniform(-1, 1, 4)) for _ in range(300)]
    runs = []
    for _ in range(2):
        guide.reset(route)
        runs.append(b"".join(guide.step(row, CALM).tobytes() for row in rows))
    assert runs[0] == runs[1]


def test_no_input_makes_a_number_that_is_not_finite():
    rng = np.random.default_rng(2)
    odd = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1, 1e30, -1e30, 1e-40], np.float32)
    guide = make_guide(GUIDANCE)
    guide.reset(route_of((9, 5, 1, 0.0), (1, 1, 1, 1.0)))
    for step in range(2000):
        outputs = rng.choice(odd, CELLS + 1) if step % 3 else GAS
        senses = rng.choice(odd, 14) if step % 5 else CALM
        answer = guide.step(outputs, senses)
        assert answer.dtype == np.float32
        assert np.isfinite(answer).all()
        assert np.abs(answer[:4]).max() <= 1.2


def test_a_route_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="at most 24 waypoints, not 25"):
        make_guide(GUIDANCE).reset(np.zeros((ROUTE_MAX + 1, 5), np.float32))


# Its arithmetic


def test_float32_arithmetic_agrees_with_exact():
    rng = np.random.default_rng(3)
    for square in np.linspace(1, 9, 100, dtype=np.float32):
        assert inverse_root(square) == pytest.approx(square**-0.5, rel=1e-6)
    for _ in range(100):
        x, y = rng.normal(0, 10.0 ** rng.integers(-3, 4), 2).astype(np.float32)
        assert norm(x, y) == pytest.approx(math.hypot(x, y), rel=1e-6)
        angles = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(-3, 3)
        q, v = quaternion_from_euler(*angles), rng.normal(size=3)
        q32, v32 = (tuple(np.float32(value) for value in row) for row in (q, v))
        np.testing.assert_allclose(rotate(q32, *v32), rotation_world_from_body(q) @ v, atol=3e-6)
        expected = math.cos(angles[2]), math.sin(angles[2])
        np.testing.assert_allclose(heading_of(q32), expected, atol=2e-6)


def test_bearings_from_several_places_need_no_distance():
    """With a network that always says 4 m, parallax alone finds the point."""
    bearings = Bearings(GUIDANCE.model_copy(update={"distance_weight": 0.001}))
    start = tuple(np.float32(v) for v in (0, 0, 1))
    bearings.start(start, start)
    point = np.array([4.5, 0.0, 1.2])
    for y in np.linspace(-1.5, 1.5, 50):
        world = GasWorld(tuple(point), start=(0.0, y, 1.0))
        world.hidden = lambda: False
        _, left, up, _ = read(world.outputs()[:CELLS])
        position = tuple(np.float32(v) for v in world.position)
        attitude = tuple(np.float32(v) for v in (0, 0, 0, 1))
        bearings.add(position, attitude, left, up, np.float32(0.5), np.float32(1))
    assert np.linalg.norm(np.array(bearings.estimate) - point) < 0.15


def test_noise_of_the_bearings_does_not_draw_the_estimate_near():
    """Weaving 5 m before the leak, bearings off by 3 degrees, distances right: neither is far."""
    rng = np.random.default_rng(0)
    attitude = tuple(np.float32(v) for v in (0, 0, 0, 1))
    ranges_m = []
    for _ in range(30):
        bearings = Bearings(GUIDANCE)
        bearings.start(*[tuple(np.float32(v) for v in (0, 0, 1))] * 2)
        for step in range(200):
            y = 0.5 * math.sin(step / 25)
            left, up = np.array([-y / 4.97, math.tan(PITCH_RAD)]) / HALF_FOV
            left, up = np.array([left, up]) + rng.normal(0, math.tan(math.radians(3)) / HALF_FOV, 2)
            place = tuple(np.float32(v) for v in (0, y, 1))
            bearings.add(place, attitude, *np.array([left, up, 5 / 8, 1], np.float32))
        ranges_m.append(float(bearings.estimate[0]))
    assert np.mean(ranges_m) == pytest.approx(5.0, rel=0.1)
    assert np.min(ranges_m) > 3.5


def looked(trusts, lefts):
    """Return where bearings of these trusts and places in the picture say that the leak is."""
    bearings = Bearings(GUIDANCE)
    start = tuple(np.float32(v) for v in (0, 0, 1))
    attitude = tuple(np.float32(v) for v in (0, 0, 0, 1))
    bearings.start(start, start)
    for step, (trust, left) in enumerate(zip(trusts, lefts, strict=True)):
        place = tuple(np.float32(v) for v in (0, 0.05 * step, 1))
        bearings.add(place, attitude, *np.array([left, 0.3, 0.4, trust], np.float32))
    return np.array(bearings.estimate)


def test_a_bearing_of_little_trust_moves_the_estimate_less():
    lefts = [0.1] * 10
    before = looked([1] * 10, lefts)
    moved = [
        float(np.linalg.norm(looked([1] * 10 + [trust], [*lefts, -0.6]) - before))
        for trust in (0.01, 0.05, 0.3, 1.0)
    ]
    assert moved == sorted(moved)
    assert moved[0] < 0.03 * moved[3]
    # Of many that are trusted alike it does not matter how much.
    np.testing.assert_allclose(looked([0.05] * 10, lefts), before, atol=1e-4)


def test_a_leak_at_the_picture_s_edge_is_trusted_less():
    moved = {}
    for edge_weight in (0.05, 1.0):
        guide = make_guide(GUIDANCE.model_copy(update={"edge_weight": edge_weight}))
        guide.reset(route_of((9, 5, 1, 0.0)))
        while (answer := guide.step(GAS, CALM))[4] != Phase.APPROACH:
            pass
        places = []
        for output in (said(0.95, 0.7, 0, 0.15), said(0.95, 0.9, 0, 0.15)):
            before = answer[5:8]
            answer = guide.step(output, CALM)
            places.append(float(np.linalg.norm(answer[5:8] - before)))
        moved[edge_weight] = places
    (inner, edge), (inner_alike, edge_alike) = moved[0.05], moved[1.0]
    assert inner == pytest.approx(inner_alike), "within the picture all count alike"
    assert edge < 0.2 * edge_alike


# The kinds of guidance


def test_kinds_are_told_apart_and_unknown_ones_refused():
    adapter = TypeAdapter(Guidance)
    for guidance in (GUIDANCE, ROAD_GUIDANCE):
        assert adapter.validate_python(guidance.model_dump()) == guidance
        guide = make_guide(guidance)
        guide.reset(NO_ROUTE)
        assert guide.step(CLEAN, CALM).shape == (guide.answer_size,)
    with pytest.raises(ValidationError, match="kind"):
        adapter.validate_python({**GUIDANCE.model_dump(), "kind": "sea"})


def test_a_policy_s_hash_is_over_all_that_decides_how_it_flies(tmp_path):
    bundle = load_bundle(ZOO / "road")
    spec = bundle.spec
    slower = spec.guidance.model_copy(update={"speed_max_m_s": 0.6})
    wider = spec.input.model_copy(update={"width_px": 65})
    other = spec.outputs[0].model_copy(update={"zero_point": 1})
    files = {**spec.files_sha256, "int8.onnx": "0" * 64}
    changed = [
        {"guidance": slower},
        {"input": wider},
        {"outputs": (other, *spec.outputs[1:])},
        {"files_sha256": files},
    ]
    hashes = {PolicyBundle(bundle.path, spec.model_copy(update=u)).sha256 for u in changed}
    assert len({bundle.sha256, *hashes}) == 5
    same = [{"provenance": spec.provenance.model_copy(update={"notes": "x"})}, {"camera": "y"}]
    assert {PolicyBundle(bundle.path, spec.model_copy(update=u)).sha256 for u in same} == {
        bundle.sha256
    }
    # What is written out with its defaults is the same policy.
    save_bundle(tmp_path, spec, {n: (bundle.path / n).read_bytes() for n in spec.files_sha256})
    assert load_bundle(tmp_path).sha256 == bundle.sha256


def test_golden_files_without_senses_are_read():
    golden = load_bundle(ZOO / "road").golden()
    assert isinstance(golden, Golden)
    assert (golden.senses.shape, golden.route.shape) == ((len(golden.frames), 14), (0, 5))


@pytest.mark.parametrize(("task", "transform"), [("gas", ""), ("road", "mirror_to_wind")])
def test_guidance_needs_its_own_input_transform(task, transform):
    spec = load_bundle(ZOO / task).spec
    data = spec.model_dump()
    data["input"] |= {"transform": transform, "channels": 2}
    with pytest.raises(ValidationError, match=f"{task} guidance needs input.transform = "):
        PolicySpec.model_validate(data)


# The pilot around it


def gas_pilot(route, said):
    """Return a pilot whose network says ``said`` and keeps the frames that it was given."""
    given = []

    def infer(frames):
        given.append(frames[:, 0, 0].tolist())
        return said

    spec = PolicySpec(
        name="gas",
        task="gas",
        camera="thermal",
        input=InputSpec(
            height_px=4, width_px=4, channels=2, frame_stride=2, transform="mirror_to_wind"
        ),
        outputs=(),
        guidance=GUIDANCE,
        provenance=Provenance(bytewing_version="0", seed=0, budget="quick"),
    )
    return network_pilot(spec, infer, route=route), given


def seen(value, senses):
    return Observation(0, 0.0, np.full((4, 4), value, np.uint8), senses)


def test_channels_lie_a_stride_apart_as_a_replay_stacks_them():
    pilot, given = gas_pilot(NO_ROUTE, CLEAN)
    for value in range(1, 7):
        pilot.act(seen(value, CALM))
    assert given == [[1, 1], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6]]
    frames = np.arange(1, 7, dtype=np.uint8)[:, None, None] * np.ones((4, 4), np.uint8)
    assert stack_channels(frames, pilot.policy.spec.input)[:, :, 0, 0].tolist() == given


def test_a_pilot_tells_guidance_its_route_and_senses_and_reports_once_and_for_all():
    pilot, _ = gas_pilot(route_of((9, 5, 1, 0.0)), GAS)
    for step in range(400):
        command = pilot.act(seen(0, CALM))
        if step == 0:
            assert command.forward_m_s > 0.4, "to the waypoint, 4 m ahead of where it senses itself"
        if pilot.report is not None:
            break
    assert pilot.answer[0] == Phase.REPORTED
    np.testing.assert_array_equal(pilot.report.leak_position_m, pilot.answer[1:4])
    first = pilot.report
    pilot.act(seen(0, CALM))
    assert pilot.report is first
    pilot.reset()
    assert pilot.report is None
    empty, _ = gas_pilot(NO_ROUTE, CLEAN)
    for _ in range(round(GUIDANCE.last_look_s / GUIDANCE.step_s)):
        assert empty.report is None
        empty.act(seen(0, CALM))
    assert empty.report.leak_position_m is None
