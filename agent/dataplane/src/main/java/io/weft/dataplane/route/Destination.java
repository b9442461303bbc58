package io.weft.dataplane.route;

import io.weft.dataplane.Headers;
import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.ResponseChanges;
import io.weft.dataplane.balance.SubsetCriteria;
import io.weft.dataplane.filter.FilterChain;
import io.weft.dataplane.format.StreamInfo;
import io.weft.policy.model.RouteAction.ClusterName;
import io.weft.policy.model.RouteAction.InHeader;
import io.weft.policy.model.RouteAction.Named;

/** One of the clusters of a forwarding route, with what changes on the way to it and back. Immutable. */
public final class Destination {
    /** Instead of an index: the request names the cluster. */
    public static final int IN_HEADER = -1;

    private final int cluster;
    private final ClusterName clusterName;
    private final long cumulativeWeight;
    private final Treatment treatment;

    /**
     * What becomes of requests on the way. Most destinations treat them alike and have one object for it, which stays in the processor's
     * caches.
     *
     * @param hasher null: requests have no hash
     * @param wanted null: any endpoint
     */
    record Treatment(
            RequestRecipe request, ResponseRecipe response, FilterChain filters, RequestHasher hasher, SubsetCriteria wanted) {}

    Destination(int cluster, ClusterName clusterName, long cumulativeWeight, Treatment treatment) {
        this.cluster = cluster;
        this.clusterName = clusterName;
        this.cumulativeWeight = cumulativeWeight;
        this.treatment = treatment;
    }

    /** Index of the cluster in the policy's table, where its place may be empty; or {@link #IN_HEADER}. */
    public int cluster() {
        return cluster;
    }

    /** Null when the request is to name it and does not. */
    public String clusterName(RequestHead request) {
        return clusterName instanceof InHeader in ? request.firstValue(in.header()) : ((Named) clusterName).cluster();
    }

    public FilterChain filters() {
        return treatment.filters;
    }

    /** Null: requests have no hash. */
    public RequestHasher hasher() {
        return treatment.hasher;
    }

    /** The metadata of the endpoints that are meant; null: any. */
    public SubsetCriteria wanted() {
        return treatment.wanted;
    }

    /** The route's weights up to and with this one. */
    public long cumulativeWeight() {
        return cumulativeWeight;
    }

    public RequestChanges requestChanges(RequestHead request, StreamInfo info) {
        return treatment.request.changes(request, info);
    }

    /** Whether something else changes when the endpoint is known. */
    public boolean dependsOnEndpoint() {
        return treatment.request.dependsOnEndpoint();
    }

    /** What changes then. The endpoint's name may be empty. */
    public RequestChanges atEndpoint(RequestChanges changes, RequestHead request, String hostname) {
        return treatment.request.atEndpoint(changes, request, hostname);
    }

    /** @param request as it was sent */
    public ResponseChanges responseChanges(RequestHead request, Headers response, StreamInfo info) {
        return treatment.response.changes(request, response, info);
    }
}
