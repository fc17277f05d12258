"""imagecorruptions' side of scripts/compare_corruptions.py: for each name of a corruption on standard input it corrupts the
image once and answers with the seconds that took; reading the image is not in them.

usage: corruption_contestant.py IMAGE SEVERITY"""

import sys
import time
import warnings

import numpy as np
from PIL import Image

warnings.filterwarnings("ignore")  # the package calls what its own dependencies deprecate

from imagecorruptions import corrupt, corruptions  # noqa: E402

gaussian = corruptions.gaussian
# scikit-image calls this argument channel_axis since it took `multichannel` away; the package does not know that yet.
corruptions.gaussian = lambda *image_and_sigma, multichannel=False, **how: gaussian(
    *image_and_sigma, channel_axis=-1 if multichannel else None, **how)


def main():
    image, severity = np.array(Image.open(sys.argv[1]).convert("RGB")), int(sys.argv[2])
    for line in sys.stdin:
        start = time.perf_counter()
        corrupt(image, severity=severity, corruption_name=line.strip())
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
