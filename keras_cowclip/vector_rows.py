"""How long rows have to be for XLA to add to them in vectors, on the CPU."""


def columns_short(columns: int) -> int:
    """Returns how many more columns XLA would sum in about half of the time.

    It adds vectors to a row whose length is a multiple of four, and single
    numbers to most others of six and more.
    """
    return -columns % 4 if columns >= 6 else 0
