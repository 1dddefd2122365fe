"""What a host library lacks, one module per host."""
