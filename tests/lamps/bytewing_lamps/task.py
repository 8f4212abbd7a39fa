"""The lamps task: the four parts that Bytewing needs of it, tied together."""

from bytewing.task import Task
from bytewing_lamps.course import LAMP_COURSE
from bytewing_lamps.guidance import LAMP_GUIDANCE
from bytewing_lamps.judging import FLOWN_LAMPS
from bytewing_lamps.learning import LEARNED_LAMPS

LAMPS = Task(course=LAMP_COURSE, guidance=LAMP_GUIDANCE, learned=LEARNED_LAMPS, flown=FLOWN_LAMPS)
