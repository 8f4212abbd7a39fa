"""Generate C for microcontrollers and run it in an emulator, without PyBullet and torch."""
