"""What the steps need installed around them."""
