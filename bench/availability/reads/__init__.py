"""What a cached read costs against a server that knows its answer from the start."""
