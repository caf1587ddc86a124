"""Which structure the data speak for: what each says of animals that it has not seen."""
