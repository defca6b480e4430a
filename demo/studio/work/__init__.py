"""What a visitor's work is made of beside the project itself: true pixels, history, and the browser's copy."""
