package io.weft.controlplane.xds.policy;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import io.weft.controlplane.policy.MeshRateLimit;
import io.weft.controlplane.policy.MeshRateLimit.Rate;
import io.weft.controlplane.policy.MeshRateLimit.Requests;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import io.weft.controlplane.service.InboundRules.Said;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code MeshRateLimit}. A limit for everybody stands on the route, as in Kuma; those for some callers, and then the one for the
 * rest, are filters behind a matcher, which Kuma does by routes that know the caller.
 */
public final class RateLimitTranslator {

    public static final String FILTER = "envoy.filters.http.local_ratelimit";

    /**
     * @param filters before the router
     * @param route what the route has for them
     */
    public record Http(List<HttpFilter> filters, Map<String, Any> route) {}

    /** @param byCaller the most specific first */
    public static Http http(Optional<MeshRateLimit> forAnyone, List<Said<MeshRateLimit>> byCaller) {
        Optional<Requests> all = forAnyone.flatMap(MeshRateLimit::requests);
        if (byCaller.isEmpty()) {
            return all.map(requests -> new Http(
                            List.of(HttpFilter.newBuilder()
                                    .setName(FILTER)
                                    .setTypedConfig(Values.any(LocalRateLimit.newBuilder().setStatPrefix("rate_limit").build()))
                                    .build()),
                            Map.of(FILTER, Values.any(limit(requests)))))
                    .orElseGet(() -> new Http(List.of(), Map.of()));
        }
        List<HttpFilter> filters = new ArrayList<>();
        List<Caller> earlier = new ArrayList<>();
        for (Said<MeshRateLimit> said : byCaller) {
            said.conf().requests().ifPresent(requests -> filters.add(CallerMatcher.filter(
                    FILTER + "." + filters.size(), FILTER, limit(requests), said.caller(), earlier)));
            said.caller().ifPresent(earlier::add);
        }
        all.ifPresent(requests ->
                filters.add(CallerMatcher.filter(FILTER, FILTER, limit(requests), Optional.empty(), earlier)));
        return new Http(filters, Map.of());
    }

    private static LocalRateLimit limit(Requests requests) {
        LocalRateLimit.Builder limit = LocalRateLimit.newBuilder()
                .setStatPrefix("rate_limit")
                .setTokenBucket(bucket(requests.rate()))
                .setFilterEnabled(always("local_rate_limit_enabled"))
                .setFilterEnforced(always("local_rate_limit_enforced"))
                .addAllResponseHeadersToAdd(Values.additions(requests.headers()));
        requests.status().ifPresent(status -> limit.setStatus(HttpStatus.newBuilder().setCodeValue(status)));
        return limit.build();
    }

    private static RuntimeFractionalPercent always(String key) {
        return RuntimeFractionalPercent.newBuilder()
                .setDefaultValue(FractionalPercent.newBuilder().setNumerator(100))
                .setRuntimeKey(key)
                .build();
    }

    private static TokenBucket bucket(Rate rate) {
        return TokenBucket.newBuilder()
                .setMaxTokens(rate.number())
                .setTokensPerFill(Values.number(rate.number()))
                .setFillInterval(Values.duration(rate.interval()))
                .build();
    }

    /** Of connections, in front of all that looks at their bytes. */
    public static Optional<Message> connections(Optional<MeshRateLimit> forAnyone) {
        return forAnyone.flatMap(MeshRateLimit::connections)
                .map(rate -> io.envoyproxy.envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit.newBuilder()
                        .setStatPrefix("tcp_rate_limit")
                        .setTokenBucket(bucket(rate))
                        .build());
    }

    private RateLimitTranslator() {}
}
