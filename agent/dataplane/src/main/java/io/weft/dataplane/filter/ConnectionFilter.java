package io.weft.dataplane.filter;

/** Decides about a new connection before anything is read from it. Thread-safe; must not block. */
public interface ConnectionFilter {
    /** @return false: it is closed at once */
    boolean admits();
}
