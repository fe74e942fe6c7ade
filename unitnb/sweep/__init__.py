"""Many classes, models and layers at once, on processes or a Dask cluster (Fig. 3C for all classes)."""
