"""C for the microcontroller and its emulator; knows no PyBullet and no torch."""
