"""What came of trying one kind of fault again and again."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """One row of the table: a fault, how often it was tried, and a sentence for each loss."""

    fault: str
    expected: str  # what must hold after it
    tried: int = 0
    lost: list[str] = field(default_factory=list)

    def count(self, loss: str | None) -> None:
        """Count one trial, with its loss where there was one."""
        self.tried += 1
        if loss is not None:
            self.lost.append(loss)
