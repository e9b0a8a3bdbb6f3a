"""Pure functions of tensors: what they contain, and what each operation did to them."""
