"""Areas on a day: their land, hierarchy and history, their borders, and what falls into them."""
