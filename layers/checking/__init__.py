"""What is wrong with the layers of a store, and the mending of grids that do not fit."""
