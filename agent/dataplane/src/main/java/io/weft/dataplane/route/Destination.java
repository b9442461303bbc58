package io.weft.dataplane.route;

import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.balance.SubsetCriteria;
import io.weft.dataplane.filter.FilterChain;
import io.weft.policy.model.HeaderChanges;
import java.util.List;

/** One of the clusters of a forwarding route, with what changes on the way to it and back. Immutable. */
public final class Destination {
    private final int cluster;
    private final String clusterName;
    private final long cumulativeWeight;
    private final RequestRecipe request;
    private final HeaderChanges[] response;
    private final FilterChain filters;
    private final RequestHasher hasher;
    private final SubsetCriteria wanted;

    /**
     * @param levels most specific first
     * @param hasher null: requests have no hash
     * @param wanted null: any endpoint
     */
    Destination(
            int cluster,
            String clusterName,
            long cumulativeWeight,
            RequestRecipe request,
            List<HeaderChanges> levels,
            FilterChain filters,
            RequestHasher hasher,
            SubsetCriteria wanted) {
        this.cluster = cluster;
        this.clusterName = clusterName;
        this.filters = filters;
        this.hasher = hasher;
        this.wanted = wanted;
        this.cumulativeWeight = cumulativeWeight;
        this.request = request;
        response = levels.stream()
                .filter(level -> !level.responseAdd().isEmpty() || !level.responseRemove().isEmpty())
                .toArray(HeaderChanges[]::new);
    }

    /** Index of the cluster in the policy's table; its place there may be empty. */
    public int cluster() {
        return cluster;
    }

    public String clusterName() {
        return clusterName;
    }

    public FilterChain filters() {
        return filters;
    }

    /** Null: requests have no hash. */
    public RequestHasher hasher() {
        return hasher;
    }

    /** The metadata of the endpoints that are meant; null: any. */
    public SubsetCriteria wanted() {
        return wanted;
    }

    /** The route's weights up to and with this one. */
    long cumulativeWeight() {
        return cumulativeWeight;
    }

    public RequestChanges requestChanges(RequestHead head) {
        return request.changes(head);
    }

    /** Most specific first, to be applied in this order. Not to be written to. */
    public HeaderChanges[] responseChanges() {
        return response;
    }
}
