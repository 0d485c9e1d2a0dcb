"""Sums of products over labelled axes: matrix products and all that einsum can say."""
