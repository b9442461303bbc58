package io.weft.dataplane;

/** Told of what the data plane itself got wrong while it served a request. Thread-safe; must not block or throw. */
@FunctionalInterface
public interface Faults {
    /** @param where as in {@code filter envoy.filters.http.fault} */
    void fault(String where, Throwable fault);
}
