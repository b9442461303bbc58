package io.weft.dataplane.filter;

import io.weft.dataplane.HeaderOverlay;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.filter.RateLimitBuckets.Taken;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.policy.model.HttpFilter.LocalRateLimit;
import java.util.List;

/** {@code envoy.filters.http.local_ratelimit}: a request takes a token or is refused. */
final class LocalRateLimitFilter extends HttpFilter {
    private static final String REFUSAL = "local_rate_limited";
    private static final int RESOURCE_EXHAUSTED = 8;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final NanoClock clock;
    private final LocalRateLimit limit;
    private final RateLimitBuckets shared;
    private final RequestDescriptors own;
    private final Share enabled;
    private final Share enforced;
    private final HeaderEdits headers;
    private final boolean tellsWhatIsLeft;
    private final LocalReply refusal;
    private final LocalReply grpcRefusal;

    LocalRateLimitFilter(LocalRateLimit limit, NanoClock clock, Randomness randomness, ProcessInfo process) {
        this.clock = clock;
        this.limit = limit;
        shared = new RateLimitBuckets(limit, clock);
        own = limit.descriptors().buckets().isEmpty() ? RequestDescriptors.NONE : new RequestDescriptors(limit.descriptors().own());
        enabled = new Share(limit.enabled(), randomness);
        enforced = new Share(limit.enforced(), randomness);
        headers = new HeaderEdits(List.of(limit.answer().headers()), process);
        tellsWhatIsLeft = limit.answer().draft03();
        refusal = LocalReply.of(limit.answer().status(), REFUSAL);
        grpcRefusal = limit.answer().resourceExhausted() ? LocalReply.grpc(RESOURCE_EXHAUSTED, REFUSAL) : refusal;
    }

    @Override
    HttpFilter with(RouteLimits route) {
        return limit.descriptors().buckets().isEmpty() || !limit.descriptors().own().isEmpty()
                ? this
                : new RateLimitOfRoute(this, new RequestDescriptors(route.of(limit.descriptors())));
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        return onRequest(stream, own);
    }

    Decision onRequest(HttpStream stream, RequestDescriptors descriptors) {
        if (!enabled.includesOne()) {
            return Decision.CONTINUE;
        }
        RateLimitBuckets buckets = limit.perConnection() && !stream.connection().isOwn() ? ofConnection(stream) : shared;
        Taken taken = buckets.take(descriptors == RequestDescriptors.NONE ? List.of() : descriptors.of(stream));
        if (tellsWhatIsLeft && taken.bucket() != null) {
            stream.keep(taken.bucket());
        }
        if (taken.all()) {
            return Decision.CONTINUE;
        }
        if (!enforced.includesOne()) {
            headers.changeRequest(stream);
            return Decision.CONTINUE;
        }
        stream.flag(ResponseFlag.RL, REFUSAL);
        return stream.reply(stream.isGrpc() ? grpcRefusal : refusal, headers::changeResponse);
    }

    private RateLimitBuckets ofConnection(HttpStream stream) {
        return (RateLimitBuckets) stream.connection().kept(this, owner -> new RateLimitBuckets(limit, clock));
    }

    @Override
    public void onResponse(HttpStream stream) {
        if (tellsWhatIsLeft && stream.kept() instanceof TokenBucketState tokens) {
            HeaderOverlay response = stream.responseHeaders();
            response.set("x-ratelimit-limit", Integer.toString(tokens.maxTokens()));
            response.set("x-ratelimit-remaining", Long.toString(tokens.tokens()));
            response.set("x-ratelimit-reset", Long.toString(tokens.nanosToNext() / NANOS_PER_SECOND));
        }
    }
}
