"""Tests mirror the source; fakes, contracts and samples are shared by all of them."""
