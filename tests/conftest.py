"""Settings of the whole suite: the same examples everywhere, so that a failure can be repeated."""

import hypothesis

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None, max_examples=25)
hypothesis.settings.load_profile("fixed")
