"""From a proven plan to a switching sheet: steps, checks, abort triggers and the computed way back."""

from gridlib.domain.instructions.sheet import write_instruction

__all__ = ["write_instruction"]
