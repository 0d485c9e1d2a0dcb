"""One way of running for every test: pictures without a screen, and the same hypothesis examples on every CI run."""

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

# A shared machine makes single examples slow now and then, which is not a failure: no deadline in either profile.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

# Programs to be run by hand against peers that the tests do not require.
collect_ignore_glob = ["benchmarks/*"]
