"""Which frames of a camera's stream are looked at."""


def every(count, frames):
    """The first of every `count` frames."""
    return [frame for index, frame in enumerate(frames) if index % count == 0]
