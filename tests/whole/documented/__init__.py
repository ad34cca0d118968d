"""Every example of the documentation's chapters, as it is printed."""
