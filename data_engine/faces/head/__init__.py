"""What no AU moves: hair, beard, ears, neck and clothes, spectacles, hats."""
