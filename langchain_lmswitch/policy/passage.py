"""How many steps a chain of states takes, on average, until it comes by each of them."""

from collections.abc import Sequence

Row = list[float]


def passage_steps(chain: Sequence[Sequence[float]], start: int, lean: Sequence[float]) -> Row:
    """Give the expected steps from `start` to each state, and back to `start` itself.

    With G the inverse of (1 - chain + a column of ones times `lean`), `lean` times G is the part
    of all time that is spent in each state, and the steps from i to j are (G[j][j] - G[i][j])
    divided by that part for j (Kemeny and Snell 1960; Kemeny 1981 for any `lean`).

    Args:
        chain: For each state the probabilities of the next; every state leads to every other.
        start: Where it is now.
        lean: Any probabilities; a good guess of the time spent in each keeps errors small.

    Example:
        >>> around = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
        >>> [round(steps, 6) for steps in passage_steps(around, 0, [0.3, 0.3, 0.4])]
        [3.0, 1.0, 2.0]
    """
    states = range(len(chain))
    inverse = _inverse([[(i == j) - chain[i][j] + lean[j] for j in states] for i in states])
    parts = [sum(lean[i] * inverse[i][j] for i in states) for j in states]
    return [(inverse[j][j] - inverse[start][j] + (j == start)) / parts[j] for j in states]


def _inverse(matrix: Sequence[Row]) -> list[Row]:
    """Invert by elimination, the largest pivot first."""
    size = len(matrix)
    rows = [[*row, *(float(i == j) for j in range(size))] for i, row in enumerate(matrix)]
    for column in range(size):
        best = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[best] = rows[best], rows[column]
        pivot = rows[column][column]
        lead = rows[column] = [value / pivot for value in rows[column]]
        for row, values in enumerate(rows):
            if row != column and (factor := values[column]):
                rows[row] = [
                    value - factor * other for value, other in zip(values, lead, strict=True)
                ]
    return [row[size:] for row in rows]
