"""Around a compiled program: the C compiler, the libraries that it makes, where they are kept, the door from Python."""
