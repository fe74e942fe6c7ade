"""Controls of the paper's measure: rivals, null models, other constructions, free choices (what the paper does not compare)."""
