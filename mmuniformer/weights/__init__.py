"""Weight files: reading, names, the published table, loading, class order."""
