"""What bench/run is made of: standard library only."""
