"""Arabic text: normalization with a map back to the original, words, boilerplate."""

from pipeline.text.normalize import DEFAULT_STEPS, STEPS, Normalizer

__all__ = ["DEFAULT_STEPS", "STEPS", "Normalizer"]
