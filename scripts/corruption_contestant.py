"""imagecorruptions' side of scripts/compare_corruptions.py: for each name of a corruption on standard input it corrupts the
image once and answers with the seconds that took; reading the image is not in them.

usage: corruption_contestant.py IMAGE SEVERITY"""

import sys
import time
import warnings

import numpy as np
from PIL import Image

warnings.filterwarnings("ignore")  # the package calls what its own dependencies deprecate

from imagecorruptions import corrupt  # noqa: E402


def main():
    image, severity = np.array(Image.open(sys.argv[1]).convert("RGB")), int(sys.argv[2])
    for line in sys.stdin:
        start = time.perf_counter()
        corrupt(image, severity=severity, corruption_name=line.strip())
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
