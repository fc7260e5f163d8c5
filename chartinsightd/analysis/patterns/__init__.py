"""Named shapes of points, one module each, with a life: forming, then completed, failed or expired."""
