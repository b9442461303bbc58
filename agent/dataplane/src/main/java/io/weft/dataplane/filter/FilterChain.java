package io.weft.dataplane.filter;

import io.weft.dataplane.Faults;
import java.util.List;

/** The filters that act on the requests of one route, in order. Immutable. */
public final class FilterChain {
    public static final FilterChain NONE = new FilterChain(List.of(), List.of(), (where, fault) -> {});

    private final HttpFilter[] filters;
    private final String[] names;
    private final Faults faults;

    FilterChain(List<String> names, List<HttpFilter> filters, Faults faults) {
        this.filters = filters.toArray(new HttpFilter[0]);
        this.names = names.toArray(new String[0]);
        this.faults = faults;
    }

    public int length() {
        return filters.length;
    }

    public HttpFilter filter(int index) {
        return filters[index];
    }

    /** The filter at that place failed by a fault of the agent. */
    public void fault(int index, Throwable fault) {
        faults.fault("HTTP filter " + names[index], fault);
    }
}
