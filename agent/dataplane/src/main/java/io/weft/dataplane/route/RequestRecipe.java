package io.weft.dataplane.route;

import io.weft.dataplane.HeaderMutations;
import io.weft.dataplane.HeaderOverlay;
import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.format.StreamInfo;
import io.weft.policy.model.RouteAction.HostFromHeader;
import io.weft.policy.model.RouteAction.HostFromPath;
import io.weft.policy.model.RouteAction.HostLiteral;
import io.weft.policy.model.RouteAction.HostOfEndpoint;
import io.weft.policy.model.RouteAction.HostRewrite;
import io.weft.policy.model.RouteAction.Rewrite;
import java.util.Optional;

/**
 * Makes the {@link RequestChanges} of a request that takes a certain route to a certain cluster: headers first, then the host,
 * then the path. Immutable.
 */
abstract sealed class RequestRecipe {
    private static final RequestRecipe NOTHING = new Constant(RequestChanges.NONE);

    abstract RequestChanges changes(RequestHead request, StreamInfo info);

    /**
     * What else changes when the endpoint is known.
     *
     * @param request as it is before these changes
     * @param hostname of the endpoint; may be empty
     */
    RequestChanges atEndpoint(RequestChanges changes, RequestHead request, String hostname) {
        return changes;
    }

    boolean dependsOnEndpoint() {
        return false;
    }

    /** @param clusterHost a new Host header for the cluster; one for the route goes before it */
    static RequestRecipe of(HeaderMutations headers, Optional<String> clusterHost, Rewrite rewrite, PathTest path) {
        RequestRecipe recipe = beforeEndpoint(headers, clusterHost, rewrite, path);
        boolean ofEndpoint = rewrite.host().isPresent() && rewrite.host().get() instanceof HostOfEndpoint;
        return ofEndpoint ? new ToEndpoint(recipe, rewrite.appendForwardedHost()) : recipe;
    }

    private static RequestRecipe beforeEndpoint(
            HeaderMutations headers, Optional<String> clusterHost, Rewrite rewrite, PathTest path) {
        // That of the endpoint comes later, when there is one.
        boolean hostStays = rewrite.host().isEmpty() || rewrite.host().get() instanceof HostOfEndpoint;
        boolean hostKnown = hostStays || rewrite.host().get() instanceof HostLiteral;
        boolean forwards = rewrite.appendForwardedHost() && !hostStays;
        PerRequest recipe = new PerRequest(headers, clusterHost, rewrite, path);
        if (rewrite.path().isPresent() || !hostKnown || forwards || !headers.constant()) {
            return recipe;
        }
        if (headers.isEmpty() && clusterHost.isEmpty() && hostStays) {
            return NOTHING;
        }
        return new Constant(recipe.changes(NO_REQUEST, NO_INFO));
    }

    private static final StreamInfo NO_INFO = new StreamInfo() {};

    /** A recipe that is constant looks at none of it. */
    private static final RequestHead NO_REQUEST = new RequestHead() {
        @Override
        public String method() {
            return null;
        }

        @Override
        public String scheme() {
            return null;
        }

        @Override
        public String authority() {
            return null;
        }

        @Override
        public String path() {
            return null;
        }

        @Override
        public String header(String name) {
            return null;
        }
    };

    private static final class Constant extends RequestRecipe {
        private final RequestChanges changes;

        Constant(RequestChanges changes) {
            this.changes = changes;
        }

        @Override
        RequestChanges changes(RequestHead request, StreamInfo info) {
            return changes;
        }
    }

    /** Whoever is chosen is called by its own name, if it has one. */
    private static final class ToEndpoint extends RequestRecipe {
        private final RequestRecipe recipe;
        private final boolean appendForwardedHost;

        ToEndpoint(RequestRecipe recipe, boolean appendForwardedHost) {
            this.recipe = recipe;
            this.appendForwardedHost = appendForwardedHost;
        }

        @Override
        RequestChanges changes(RequestHead request, StreamInfo info) {
            return recipe.changes(request, info);
        }

        @Override
        RequestChanges atEndpoint(RequestChanges changes, RequestHead request, String hostname) {
            if (hostname.isEmpty()) {
                return changes;
            }
            RequestChanges named = changes.andAuthority(hostname);
            return appendForwardedHost
                    ? named.andSet(
                            ForwardedHost.HEADER, ForwardedHost.append(request.header(ForwardedHost.HEADER), request.authority()))
                    : named;
        }

        @Override
        boolean dependsOnEndpoint() {
            return true;
        }
    }

    private static final class PerRequest extends RequestRecipe {
        private final HeaderMutations headers;
        private final String clusterHost;
        private final HostChange host;
        private final boolean appendForwardedHost;
        private final PathChange path;

        PerRequest(HeaderMutations headers, Optional<String> clusterHost, Rewrite rewrite, PathTest path) {
            this.headers = headers;
            this.clusterHost = clusterHost.orElse(null);
            this.host = rewrite.host().isEmpty() ? request -> null : host(rewrite.host().get());
            this.appendForwardedHost = rewrite.appendForwardedHost();
            this.path = rewrite.path().isEmpty() ? target -> null : PathChange.of(rewrite.path().get(), path);
        }

        @Override
        RequestChanges changes(RequestHead request, StreamInfo info) {
            HeaderOverlay changed = new HeaderOverlay(request);
            String authority = clusterHost == null ? request.authority() : clusterHost;
            RequestHead view = changed.on(request, authority);
            headers.changeRequest(changed, view, info);
            String newHost = host.of(view);
            boolean rewritten = newHost != null && !newHost.isEmpty();
            if (rewritten && appendForwardedHost) {
                appendForwardedHost(changed, authority);
            }
            return changed.requestChanges(path.apply(request.path()), rewritten ? newHost : clusterHost);
        }

        private static void appendForwardedHost(HeaderOverlay headers, String host) {
            String before = headers.header(ForwardedHost.HEADER);
            String forwarded = ForwardedHost.append(before, host);
            if (!forwarded.equals(before)) {
                headers.set(ForwardedHost.HEADER, forwarded);
            }
        }
    }

    /** Null or empty: the host stays. */
    @FunctionalInterface
    private interface HostChange {
        String of(RequestHead request);
    }

    private static HostChange host(HostRewrite rewrite) {
        if (rewrite instanceof HostLiteral literal) {
            return request -> literal.host();
        }
        if (rewrite instanceof HostOfEndpoint) {
            return request -> null;
        }
        if (rewrite instanceof HostFromHeader from) {
            return request -> request.firstValue(from.header());
        }
        HostFromPath from = (HostFromPath) rewrite;
        RegexReplacement regex = new RegexReplacement(from.replacement().regex(), from.replacement().substitution());
        return request -> regex.apply(request.path().substring(0, PathTest.end(request.path())));
    }
}
