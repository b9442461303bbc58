package io.weft.dataplane;

/** Told what an operator must know of policies that cannot be followed to the letter. Thread-safe; must not block or throw. */
@FunctionalInterface
public interface Notices {
    /** Said once, whatever happens how often. */
    void notice(String text);
}
