"""Finds people without helmet or vest. In small: the model file is opened and measured, and nothing is detected."""

import os


class Detector:
    def __init__(self, path):
        self.path = path

    def stats(self):
        size = os.path.getsize(self.path) if os.path.exists(self.path) else 0
        return {"model": os.path.basename(self.path), "bytes": size, "ready": size > 0}
