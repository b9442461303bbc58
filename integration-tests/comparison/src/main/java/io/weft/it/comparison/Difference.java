package io.weft.it.comparison;

/**
 * How the two sides differ.
 *
 * @param kind in what respect, the same for differences that may have the same cause
 * @param text with the request and both results
 */
record Difference(String kind, String text) {}
