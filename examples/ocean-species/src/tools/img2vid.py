"""Makes a video of images. In small: it says which."""

import os

print(sorted(os.listdir(os.environ["INPUT_DIR"])))
