"""What `benchmarks.score_quality` is made of: plain readings of a community, rankings, measures, attacks."""
