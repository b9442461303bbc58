package io.weft.dataplane;

/** A library's response headers, read-only. */
@FunctionalInterface
public interface ResponseHeaders extends Headers {}
