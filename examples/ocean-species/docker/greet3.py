import os
import sys

with open(f"{os.environ['OUTPUT_DIR']}/greeting.txt", "w") as file:
    file.write(f"Hello, {sys.argv[1]}!\n")
