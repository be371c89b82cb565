"""Hashes text in TensorFlow as the SQL of `zoo.encoding.sql` does."""

import math
from collections.abc import Sequence
from typing import Any

# As in RFC 1321.
_SHIFTS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_ADDED = [int(abs(math.sin(i + 1)) * 2**32) for i in range(64)]
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)


def hash_text(text: Any) -> Any:
    """Returns the first 60 bits of the md5 of texts.

    TensorFlow has no md5. Its operations on integers compute that of all texts
    at a time.

    Args:
        text: string tensor, `(n,)`.

    Returns:
        int64 tensor, `(n,)`.
    """
    import tensorflow as tf

    words, num_blocks = _blocks(text)

    def add_block(i, *state):
        added = _compress(state, tf.unstack(words[:, i], 16, axis=1))
        is_part = i < num_blocks
        return i + 1, *(
            tf.where(is_part, new, old)
            for new, old in zip(added, state, strict=True)
        )

    _, first, second, *_ = tf.while_loop(
        lambda i, *state: i < tf.shape(words)[1],
        add_block,
        (
            tf.constant(0),
            *(
                tf.fill(tf.shape(text), tf.constant(s, tf.uint32))
                for s in _START
            ),
        ),
    )
    # The digest has the words' lowest byte first, and the hash the highest.
    high, low = (tf.cast(_swap(w), tf.int64) for w in (first, second))
    return high * 2**28 + low // 2**4


def _blocks(text: Any) -> tuple[Any, Any]:
    """Returns the padded texts, `(n, blocks, 16)` words, and their blocks."""
    import tensorflow as tf

    lengths = tf.strings.length(text)
    num_blocks = (lengths + 8) // 64 + 1
    # At least one, also for no text.
    most = tf.reduce_max(tf.concat([[1], num_blocks], 0))
    size = most * 64
    text_bytes = tf.cast(
        tf.io.decode_raw(text, tf.uint8, fixed_length=size), tf.uint32
    )
    end = tf.one_hot(
        lengths, size, tf.constant(0x80, tf.uint32), tf.constant(0, tf.uint32)
    )
    parts = tf.reshape(text_bytes + end, [-1, most, 16, 4])
    words = sum(
        tf.bitwise.left_shift(parts[..., i], tf.constant(8 * i, tf.uint32))
        for i in range(4)
    )
    # The number of bits is in the last two words; no text needs the second.
    is_last = tf.one_hot(num_blocks * 16 - 2, most * 16, dtype=tf.uint32)
    bits = is_last * (tf.cast(lengths, tf.uint32) * 8)[:, None]
    return words + tf.reshape(bits, [-1, most, 16]), num_blocks


def _compress(state: Sequence[Any], words: Sequence[Any]) -> list[Any]:
    """Returns the state after one block of each text."""
    import tensorflow as tf

    a, b, c, d = state
    for i in range(64):
        turn = i // 16
        if turn == 0:
            mixed, place = d ^ (b & (c ^ d)), i
        elif turn == 1:
            mixed, place = c ^ (d & (b ^ c)), (5 * i + 1) % 16
        elif turn == 2:
            mixed, place = b ^ c ^ d, (3 * i + 5) % 16
        else:
            mixed, place = c ^ (b | ~d), 7 * i % 16
        added = tf.constant(_ADDED[i], tf.uint32)
        turned = _rotate(a + mixed + added + words[place], _SHIFTS[turn][i % 4])
        a, b, c, d = d, b + turned, b, c
    return [old + new for old, new in zip(state, (a, b, c, d), strict=True)]


def _rotate(words: Any, bits: int) -> Any:
    import tensorflow as tf

    left = tf.bitwise.left_shift(words, tf.constant(bits, tf.uint32))
    right = tf.bitwise.right_shift(words, tf.constant(32 - bits, tf.uint32))
    return left | right


def _swap(words: Any) -> Any:
    """Reverses the bytes of each word."""
    import tensorflow as tf

    outer = tf.constant(0x00FF00FF, tf.uint32)
    return (_rotate(words, 8) & outer) | (_rotate(words, 24) & ~outer)
