"""Posting a batch: load what it needs under locks, plan it, write it, answer; none else writes."""
