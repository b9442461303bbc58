package io.weft.dataplane.filter;

import io.weft.dataplane.HeaderOverlay;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.route.TextTest;
import io.weft.policy.model.HttpFilter.CorsPolicy;
import io.weft.policy.model.StringMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * {@code envoy.filters.http.cors}: answers preflights and tells browsers whose scripts may read a response. Of several levels each
 * property is the most specific one's that has it.
 */
final class CorsFilter extends HttpFilter {
    private static final String ANY = "*";

    private final TextTest[] allowOrigin;
    private final String allowMethods;
    private final String allowHeaders;
    private final String exposeHeaders;
    private final String maxAge;
    private final boolean allowCredentials;
    private final boolean allowPrivateNetworkAccess;
    private final boolean forwardNotMatchingPreflights;
    private final Share enabled;

    /** @param levels most specific first, at least one */
    CorsFilter(List<CorsPolicy> levels, Randomness randomness) {
        List<StringMatch> origins = levels.stream()
                .map(CorsPolicy::allowOrigin)
                .filter(some -> !some.isEmpty())
                .findFirst()
                .orElse(List.of());
        allowOrigin = origins.stream().map(TextTest::of).toArray(TextTest[]::new);
        allowMethods = text(levels, CorsPolicy::allowMethods);
        allowHeaders = text(levels, CorsPolicy::allowHeaders);
        exposeHeaders = text(levels, CorsPolicy::exposeHeaders);
        maxAge = text(levels, CorsPolicy::maxAge);
        allowCredentials = flag(levels, CorsPolicy::allowCredentials, false);
        allowPrivateNetworkAccess = flag(levels, CorsPolicy::allowPrivateNetworkAccess, false);
        forwardNotMatchingPreflights = flag(levels, CorsPolicy::forwardNotMatchingPreflights, true);
        enabled = new Share(levels.get(0).enabled(), randomness);
    }

    private static String text(List<CorsPolicy> levels, Function<CorsPolicy, String> property) {
        return levels.stream().map(property).filter(text -> !text.isEmpty()).findFirst().orElse("");
    }

    private static boolean flag(List<CorsPolicy> levels, Function<CorsPolicy, Optional<Boolean>> property, boolean otherwise) {
        return levels.stream().map(property).flatMap(Optional::stream).findFirst().orElse(otherwise);
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        if (stream.upstreamCluster() == null) {
            // What the mesh answers itself is nobody's resource: so it is in Envoy.
            return Decision.CONTINUE;
        }
        RequestHead head = stream.head();
        String origin = head.header("origin");
        if (origin == null || origin.isEmpty() || !enabled.includesOne()) {
            return Decision.CONTINUE;
        }
        boolean allowed = isAllowed(origin);
        if (allowed) {
            stream.keep(origin);
        }
        String wanted = head.method().equals("OPTIONS") ? head.header("access-control-request-method") : null;
        if (wanted == null || wanted.isEmpty()) {
            return Decision.CONTINUE;
        }
        return !allowed && forwardNotMatchingPreflights
                ? Decision.CONTINUE
                : stream.replyBare(preflight(allowed ? origin : null, wanted, head));
    }

    private boolean isAllowed(String origin) {
        for (TextTest test : allowOrigin) {
            if (test.matches(ANY) || test.matches(origin)) {
                return true;
            }
        }
        return false;
    }

    /** @param origin null: not allowed */
    private LocalReply preflight(String origin, String wantedMethod, RequestHead head) {
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        if (origin != null) {
            headers.add(Map.entry("access-control-allow-origin", origin));
        }
        if (allowCredentials) {
            headers.add(Map.entry("access-control-allow-credentials", "true"));
        }
        add(headers, "access-control-allow-methods", allowMethods.equals(ANY) ? wantedMethod : allowMethods);
        if (allowHeaders.equals(ANY)) {
            // Empty where none are asked for, as in Envoy.
            String wantedHeaders = head.header("access-control-request-headers");
            headers.add(Map.entry("access-control-allow-headers", wantedHeaders == null ? "" : wantedHeaders));
        } else {
            add(headers, "access-control-allow-headers", allowHeaders);
        }
        add(headers, "access-control-max-age", maxAge);
        if (allowPrivateNetworkAccess && "true".equals(head.header("access-control-request-private-network"))) {
            headers.add(Map.entry("access-control-allow-private-network", "true"));
        }
        return new LocalReply(200, List.copyOf(headers), new byte[0]);
    }

    private static void add(List<Map.Entry<String, String>> headers, String name, String value) {
        if (!value.isEmpty()) {
            headers.add(Map.entry(name, value));
        }
    }

    @Override
    public void onResponse(HttpStream stream) {
        if (stream.kept() instanceof String origin) {
            HeaderOverlay headers = stream.responseHeaders();
            headers.set("access-control-allow-origin", origin);
            if (allowCredentials) {
                headers.set("access-control-allow-credentials", "true");
            }
            if (!exposeHeaders.isEmpty()) {
                headers.set("access-control-expose-headers", exposeHeaders);
            }
        }
    }
}
