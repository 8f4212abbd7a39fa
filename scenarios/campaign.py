"""Fly many flights on any executor and store each result, so that a campaign can be resumed.

A result's file in the campaign's folder is named by a hash of everything that decides the flight
(``job_key``). An interrupted campaign therefore continues where it stopped, and a changed scenario,
policy or program does not find the results of another.

The workers of a cluster have Bytewing but not the user's files, so they receive a ``Parcel``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bytewing.foundation import fleet
from bytewing.foundation.canonical import canonical_sha256
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import require_writable_folder, sha256_of_file, write_atomic
from bytewing.foundation.progress import Advance
from bytewing.foundation.sources import sources_sha256
from bytewing.policies.bundle import PolicyBundle
from bytewing.scenarios.replay import Comparison
from bytewing.scenarios.results import FlightResult, Metrics
from bytewing.scenarios.run import FlightJob, finish, fly_job, fly_log
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.courses.textures import is_image
from bytewing.sim.distribution import is_path

# Files of a bundle that each rung needs; the self-test of the C holds the golden vectors.
_REFERENCE = "int8.onnx"
_BUNDLE_FILES = {
    "float": ("float.onnx",),
    "onnx": (_REFERENCE,),
    "int8": (_REFERENCE,),
    "c": (_REFERENCE, "golden.npz"),
    "mcu": (_REFERENCE, "golden.npz"),
}


def fly_many(
    flights: Sequence[FlightJob],
    *,
    jobs: int = 1,
    advance: Advance | None = None,
    executor: Executor | None = None,
    out: Path | None = None,
) -> list[FlightResult[Metrics]]:
    """Fly every flight and return the results in the order of ``flights``.

    Args:
        flights: the flights.
        jobs: number of processes on this machine.
        advance: called once per finished flight.
        executor: runs the flights instead of a process pool; may be on other machines.
        out: the campaign's folder. Each result is written there when its flight ends, and a flight
            with a result there is not flown again. None stores no results, only the logs that the
            jobs ask for.
    """
    if out is not None:
        require_writable_folder(out)
    found = [_read(_file(out, job), job) if out else None for job in flights]
    missing = [job for job, result in zip(flights, found, strict=True) if result is None]
    if advance and len(missing) < len(flights):
        advance(len(flights) - len(missing))

    def keep(index: int, result: FlightResult[Metrics]) -> FlightResult[Metrics]:
        if out is not None:
            write_atomic(_file(out, missing[index]), _as_json(result).encode())
        return result

    def unpack(index: int, flown: tuple[FlightResult[Metrics], bytes]) -> FlightResult[Metrics]:
        result, log = flown
        path = missing[index].log_path
        if path is not None:
            write_atomic(path, log)
        return keep(index, dataclasses.replace(result, log_path=path))

    if executor is None:
        flown = fleet.run(fly_job, missing, jobs=jobs, advance=advance, each=keep)
    else:
        parcels = [pack(job) for job in missing]
        flown = fleet.run(fly_parcel, parcels, executor=executor, advance=advance, each=unpack)
    rest = iter(flown)
    return [result or next(rest) for result in found]


def job_key(job: FlightJob) -> str:
    """Return a hash of all inputs of a flight and its metrics, including the code."""
    scenario = job.scenario
    course = scenario.course.model_dump(mode="json")
    images = {name for name in _texts(course) if is_image(name)}
    bundle = job.bundle
    target = job.target if job.runtime == "mcu" else None
    facts = {
        "bytewing": version("bytewing"),
        "sources": sources_sha256(),
        "scenario": scenario.model_dump(mode="json", exclude={"description", "seeds", "policy"}),
        "airframe": load_airframe(scenario.airframe).model_dump(mode="json"),
        "camera": load_camera(scenario.camera).model_dump(mode="json"),
        "images": {name: sha256_of_file(Path(name)) for name in sorted(images)},
        "seed": job.seed,
        "runtime": job.runtime,
        "policy": bundle.spec.model_dump(mode="json") if bundle else None,
        "target": target.model_dump(mode="json") if target else None,
        "compare": job.compare,
    }
    return canonical_sha256(facts)


def _texts(value: object) -> list[str]:
    """Return every string anywhere in a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _texts(item)]


def _file(out: Path, job: FlightJob) -> Path:
    name = f"{job.scenario.name}_{job.seed}_{job.runtime}"
    return out / f"{name}_{job_key(job)[:16]}.json"


def _as_json(result: FlightResult[Metrics]) -> str:
    compared = result.comparison
    table: dict[str, Any] | None = None
    if compared is not None:
        outputs = sorted(raw.hex() for raw in compared.distinct_outputs)
        table = {**dataclasses.asdict(compared), "distinct_outputs": outputs}
    return json.dumps({**result.as_json(), "comparison": table}, indent=1)


def _comparison(table: dict[str, Any] | None) -> Comparison | None:
    if table is None:
        return None
    outputs = frozenset(map(bytes.fromhex, table["distinct_outputs"]))
    return Comparison(**{**table, "distinct_outputs": outputs})


def _read(path: Path, job: FlightJob) -> FlightResult[Metrics] | None:
    """Return the result stored at ``path``; None if it or a requested log is missing."""
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text())
        metrics = FLOWN_TASKS.find(job.scenario.task).metrics.from_json(kept["metrics"])
        comparison = _comparison(kept["comparison"])
        log_sha256 = str(kept["log_sha256"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInputError(
            f"{path}: not a flight of a campaign; delete it, and it will be flown again"
        ) from error
    log = job.log_path
    if log is not None and not (log.is_file() and sha256_of_file(log) == log_sha256):
        return None
    return FlightResult(
        scenario=job.scenario.name,
        seed=job.seed,
        runtime=job.runtime,
        log_sha256=log_sha256,
        metrics=metrics,
        comparison=comparison,
        log_path=log,
    )


@dataclass(frozen=True)
class Parcel:
    """A job and the content of the user's files that it names, for a machine without these files.

    Attributes:
        job: the flight, without a log folder.
        files: content by file name: the files of the bundle that the runtime needs, and
            ``airframe.toml`` and ``camera.toml`` if the scenario names files instead of presets.
            Texture images are not sent.
        with_log: whether the worker returns the log's bytes.
    """

    job: FlightJob
    files: dict[str, bytes]
    with_log: bool


def pack(job: FlightJob) -> Parcel:
    """Return the job as a parcel."""
    files = {}
    if job.bundle is not None:
        compared = {_REFERENCE} if job.compare else set()
        for name in compared.union(_BUNDLE_FILES.get(job.runtime, ())):
            files[name] = job.bundle.file(name).read_bytes()
    for key in ("airframe", "camera"):
        named = getattr(job.scenario, key)
        if is_path(named):
            files[f"{key}.toml"] = Path(named).read_bytes()
    without_log = dataclasses.replace(job, log_dir=None)
    return Parcel(without_log, files, with_log=job.log_dir is not None)


def fly_parcel(parcel: Parcel) -> tuple[FlightResult[Metrics], bytes]:
    """Fly the job of a parcel; return its result and log, b"" if not requested."""
    folder = _unpacked(tuple(sorted(parcel.files.items())))
    own = {
        key: str(folder / f"{key}.toml")
        for key in ("airframe", "camera")
        if f"{key}.toml" in parcel.files
    }
    bundle = parcel.job.bundle
    job = dataclasses.replace(
        parcel.job,
        scenario=parcel.job.scenario.model_copy(update=own),
        bundle=PolicyBundle(folder, bundle.spec) if bundle else None,
    )
    log = fly_log(job)
    return finish(job, log), log.to_bytes() if parcel.with_log else b""


@cache
def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="bytewing-")


def _unpacked(files: tuple[tuple[str, bytes], ...]) -> Path:
    """Write files into a folder named by a hash of their content, and return the folder."""
    names = [f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in files]
    folder = Path(_temporary_folder().name) / hashlib.sha256("\n".join(names).encode()).hexdigest()
    for name, data in files:
        if not (folder / name).exists():
            write_atomic(folder / name, data)
    return folder
