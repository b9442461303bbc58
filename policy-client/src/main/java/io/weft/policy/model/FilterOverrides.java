package io.weft.policy.model;

import java.util.Map;

/**
 * {@code typed_per_filter_config} of a route configuration, virtual host, route or weighted cluster. Of several levels the most
 * specific that names a filter counts: weighted cluster, route, virtual host, route configuration.
 *
 * @param byFilter by {@link NamedFilter#name}; those that name no filter of the connection manager mean nothing
 */
public record FilterOverrides(Map<String, Override> byFilter) {
    public static final FilterOverrides NONE = new FilterOverrides(Map.of());

    public FilterOverrides {
        byFilter = Map.copyOf(byFilter);
    }

    public boolean isEmpty() {
        return byFilter.isEmpty();
    }

    public sealed interface Override {}

    /** The filter does not act. */
    public record Disabled() implements Override {}

    /** The filter acts as the connection manager says, also when it is disabled there. */
    public record Enabled() implements Override {}

    /** The filter acts as this says, also when it is disabled in the connection manager. */
    public record Configured(HttpFilter filter) implements Override {}
}
