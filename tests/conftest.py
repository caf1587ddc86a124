"""One thread for each BLAS call and no windows for figures, settled before numpy is imported; garbage seldom sought."""

import gc
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["MPLBACKEND"] = "Agg"

# what fixtures keep, fits and compiled code, is millions of objects: looking through them took a tenth of the time
gc.set_threshold(100_000, 50, 1000)
