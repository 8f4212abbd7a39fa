"""The operators that a network may contain, one module each; ``registry`` finds them."""
