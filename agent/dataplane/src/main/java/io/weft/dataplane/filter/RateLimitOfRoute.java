package io.weft.dataplane.filter;

import io.weft.dataplane.HttpStream;

/** A local rate limit, whose buckets several routes may share, with the descriptors that one route's requests have. */
final class RateLimitOfRoute extends HttpFilter {
    private final LocalRateLimitFilter limit;
    private final RequestDescriptors descriptors;

    RateLimitOfRoute(LocalRateLimitFilter limit, RequestDescriptors descriptors) {
        this.limit = limit;
        this.descriptors = descriptors;
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        return limit.onRequest(stream, descriptors);
    }

    @Override
    public void onResponse(HttpStream stream) {
        limit.onResponse(stream);
    }
}
