"""Draw docs/img/flight.jpg: four moments of one flight's film.

Run from the repository's root: ``python docs/flight_picture.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import bytewing
from bytewing.foundation.files import write_atomic
from bytewing.scenarios.report.video import RATE_HZ

OUTPUT = Path(__file__).parent / "img" / "flight.jpg"
SCENARIO, SEED = "obstacle_in_bend", 2_900_007
AT_S = (2.12, 4.96, 5.64, 7.80)
QUALITY = 85


def film() -> list[NDArray[np.uint8]]:
    """Return every picture (H, W, 3) of the flight's film, BGR."""
    pictures: list[NDArray[np.uint8]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flight.mp4"
        bytewing.fly(SCENARIO, seeds=range(SEED, SEED + 1), video=path)
        reader = cv2.VideoCapture(str(path))
        while True:
            more, picture = reader.read()
            if not more:
                return pictures
            pictures.append(np.asarray(picture, np.uint8))


def main() -> None:
    """Put four of them together, two by two."""
    pictures = film()
    four = [pictures[min(round(at_s * RATE_HZ), len(pictures) - 1)] for at_s in AT_S]
    sheet = np.vstack([np.hstack(four[:2]), np.hstack(four[2:])])
    _, data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    write_atomic(OUTPUT, data.tobytes())


if __name__ == "__main__":
    main()
