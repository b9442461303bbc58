package io.weft.controlplane.xds.effect;

import com.github.xds.type.matcher.v3.Matcher;
import com.github.xds.type.matcher.v3.Matcher.MatcherList.FieldMatcher;
import com.github.xds.type.matcher.v3.Matcher.MatcherList.Predicate;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.rbac.v3.Action;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What becomes otherwise of what comes in, and of what leaves the mesh, when a listener changes. */
public final class ListenerEffects {
    private static final String HEALTH = "health-paths";
    private static final String NOBODY = "nobody may call it by mutual TLS: no MeshTrafficPermission allows it";

    private enum Tls { NONE, PERMISSIVE, STRICT }

    private final Called called;

    public ListenerEffects(Called called) {
        this.called = called;
    }

    /** One of the two may be nothing but its default. */
    public List<String> of(Listener was, Listener is) {
        Listener any = is.getName().isEmpty() ? was : is;
        List<String> phrases = any.getTrafficDirection() == TrafficDirection.INBOUND ? inbound(was, is) : outbound(was, is);
        return phrases.stream().map(phrase -> called.self() + ": " + phrase).toList();
    }

    private static List<String> outbound(Listener was, Listener is) {
        Listener any = is.getName().isEmpty() ? was : is;
        if (any.hasUseOriginalDst()) {
            return List.of("what it may call outside of the mesh is " + (was.getName().isEmpty()
                    ? "restricted now" : is.getName().isEmpty() ? "no longer restricted" : "restricted otherwise: see the fields"));
        }
        if (was.getName().isEmpty() || is.getName().isEmpty()) {
            return List.of("calls to port " + any.getAddress().getSocketAddress().getPortValue()
                    + (was.getName().isEmpty() ? " go through the mesh now" : " no longer go through the mesh"));
        }
        List<String> phrases = new ArrayList<>();
        observed("requests that go out are", manager(was), manager(is), phrases);
        return phrases.isEmpty() ? List.of("requests that go out are treated otherwise: see the fields") : phrases;
    }

    private static List<String> inbound(Listener was, Listener is) {
        int port = (is.getName().isEmpty() ? was : is).getAddress().getSocketAddress().getPortValue();
        if (was.getName().isEmpty()) {
            return List.of("port " + port + " is in the mesh now");
        }
        if (is.getName().isEmpty()) {
            return List.of("port " + port + " is no longer in the mesh");
        }
        List<String> phrases = new ArrayList<>();
        tls(tls(was), tls(is), phrases);
        permissions(was, is, phrases);
        limit(manager(was), manager(is), phrases);
        if (!kinds(manager(was), "HTTPFault").equals(kinds(manager(is), "HTTPFault"))) {
            phrases.add(kinds(manager(is), "HTTPFault").isEmpty()
                    ? "no faults are put in any more" : "delays or errors are put in on purpose: see the fields");
        }
        observed("requests that come in are", manager(was), manager(is), phrases);
        return phrases.isEmpty() ? List.of("what comes in is treated otherwise: see the fields") : phrases;
    }

    private static void tls(Tls was, Tls is, List<String> phrases) {
        if (was == is) {
            return;
        }
        phrases.add(switch (is) {
            case STRICT -> "now requires mutual TLS: plaintext callers will be refused";
            case PERMISSIVE -> was == Tls.STRICT
                    ? "no longer requires mutual TLS: plaintext callers will be let in, past all permissions"
                    : "now takes mutual TLS, too; plaintext callers are let in as before";
            case NONE -> "no longer takes mutual TLS: everybody is let in in plaintext";
        });
    }

    private static Tls tls(Listener listener) {
        if (listener.getFilterChainsList().stream().noneMatch(FilterChain::hasTransportSocket)) {
            return Tls.NONE;
        }
        return listener.getFilterChainsList().stream().anyMatch(chain -> !chain.hasTransportSocket() && !isForHealthOnly(chain))
                ? Tls.PERMISSIVE : Tls.STRICT;
    }

    private static boolean isForHealthOnly(FilterChain chain) {
        return manager(chain).flatMap(ListenerEffects::access).filter(rbac -> rbac.getRules().containsPolicies(HEALTH)).isPresent();
    }

    private static void permissions(Listener was, Listener is, List<String> phrases) {
        Optional<Map<String, Boolean>> old = permissions(was);
        Optional<Map<String, Boolean>> now = permissions(is);
        if (now.isEmpty() || old.equals(now)) {
            return;
        }
        List<String> may = allowed(now.get());
        if (may.isEmpty()) {
            phrases.add(NOBODY);
            return;
        }
        List<String> might = old.map(ListenerEffects::allowed).orElse(List.of());
        List<String> gained = may.stream().filter(caller -> !might.contains(caller)).toList();
        List<String> lost = might.stream().filter(caller -> !may.contains(caller)).toList();
        if (!gained.isEmpty()) {
            phrases.add("may be called by mutual TLS by " + String.join(", ", gained) + (old.isEmpty() ? " and nobody else" : ""));
        }
        if (!lost.isEmpty()) {
            phrases.add("may no longer be called by " + String.join(", ", lost));
        }
        if (gained.isEmpty() && lost.isEmpty()) {
            phrases.add("who is refused changes: see the fields");
        }
    }

    private static List<String> allowed(Map<String, Boolean> callers) {
        return callers.entrySet().stream().filter(Map.Entry::getValue).map(Map.Entry::getKey).toList();
    }

    /** Whether a caller is let in; absent: no one is asked for a name, or not for requests. */
    private static Optional<Map<String, Boolean>> permissions(Listener listener) {
        return listener.getFilterChainsList().stream().filter(FilterChain::hasTransportSocket)
                .flatMap(chain -> manager(chain).stream())
                .flatMap(manager -> access(manager).stream())
                .findFirst()
                .map(ListenerEffects::callers);
    }

    private static Map<String, Boolean> callers(RBAC access) {
        Map<String, Boolean> callers = new LinkedHashMap<>();
        Matcher matcher = access.getMatcher();
        for (FieldMatcher each : matcher.getMatcherList().getMatchersList()) {
            boolean allows = parsed(each.getOnMatch().getAction().getTypedConfig(), Action.getDefaultInstance())
                    .map(action -> action.getAction() == io.envoyproxy.envoy.config.rbac.v3.RBAC.Action.ALLOW).orElse(false);
            // The first that fits counts.
            names(each.getPredicate()).forEach(caller -> callers.putIfAbsent(caller, allows));
        }
        return callers;
    }

    private static Stream<String> names(Predicate predicate) {
        if (predicate.hasOrMatcher()) {
            return predicate.getOrMatcher().getPredicateList().stream().flatMap(ListenerEffects::names);
        }
        var value = predicate.getSinglePredicate().getValueMatch();
        return Stream.of(value.hasPrefix() ? "whoever's identity begins with " + value.getPrefix() : value.getExact());
    }

    private static void limit(HttpConnectionManager was, HttpConnectionManager is, List<String> phrases) {
        String old = limit(was);
        String now = limit(is);
        if (!old.equals(now)) {
            phrases.add("each instance takes " + now + " (were: " + old + ")");
        } else if (!kinds(was, "LocalRateLimit").equals(kinds(is, "LocalRateLimit"))) {
            phrases.add("how many requests it takes of some callers changes: see the fields");
        }
    }

    /** For everybody it stands on the route. */
    private static String limit(HttpConnectionManager manager) {
        RouteConfiguration routes = manager.getRouteConfig();
        if (routes.getVirtualHostsCount() == 0 || routes.getVirtualHosts(0).getRoutesCount() == 0) {
            return "any number of requests";
        }
        return routes.getVirtualHosts(0).getRoutes(0).getTypedPerFilterConfigMap().values().stream()
                .flatMap(config -> parsed(config, LocalRateLimit.getDefaultInstance()).stream())
                .map(LocalRateLimit::getTokenBucket)
                .map(bucket -> bucket.getMaxTokens() + " requests per " + Called.text(bucket.getFillInterval()) + " at most")
                .findFirst().orElse("any number of requests");
    }

    private static void observed(String what, HttpConnectionManager was, HttpConnectionManager is, List<String> phrases) {
        if (!was.getAccessLogList().equals(is.getAccessLogList())) {
            boolean both = was.getAccessLogCount() > 0 && is.getAccessLogCount() > 0;
            phrases.add(what + (is.getAccessLogCount() == 0 ? " no longer" : "") + " logged" + (both ? " otherwise" : ""));
        }
        if (!was.getTracing().equals(is.getTracing())) {
            phrases.add(what + (is.hasTracing() ? "" : " no longer") + " traced" + (was.hasTracing() && is.hasTracing() ? " otherwise" : ""));
        }
    }

    /** The filters of one kind, which may be behind a matcher. */
    private static List<HttpFilter> kinds(HttpConnectionManager manager, String type) {
        ByteString name = ByteString.copyFromUtf8(type);
        return manager.getHttpFiltersList().stream().filter(filter -> contains(filter.toByteString(), name)).toList();
    }

    private static boolean contains(ByteString bytes, ByteString part) {
        for (int at = 0; at + part.size() <= bytes.size(); at++) {
            if (bytes.substring(at, at + part.size()).equals(part)) {
                return true;
            }
        }
        return false;
    }

    private static Optional<RBAC> access(HttpConnectionManager manager) {
        return manager.getHttpFiltersList().stream()
                .flatMap(filter -> parsed(filter.getTypedConfig(), RBAC.getDefaultInstance()).stream())
                .findFirst();
    }

    /** Of mesh TLS where there is one for it; empty: it does not speak HTTP. */
    private static HttpConnectionManager manager(Listener listener) {
        return Stream.concat(
                        listener.getFilterChainsList().stream().filter(FilterChain::hasTransportSocket),
                        listener.getFilterChainsList().stream())
                .flatMap(chain -> manager(chain).stream())
                .findFirst().orElse(HttpConnectionManager.getDefaultInstance());
    }

    private static Optional<HttpConnectionManager> manager(FilterChain chain) {
        return chain.getFiltersList().stream()
                .map(Filter::getTypedConfig)
                .flatMap(config -> parsed(config, HttpConnectionManager.getDefaultInstance()).stream())
                .findFirst();
    }

    /** @return absent: it is something else */
    @SuppressWarnings("unchecked")
    static <M extends Message> Optional<M> parsed(Any any, M type) {
        if (!any.getTypeUrl().endsWith("/" + type.getDescriptorForType().getFullName())) {
            return Optional.empty();
        }
        try {
            return Optional.of((M) type.getParserForType().parseFrom(any.getValue()));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a resource of this process", e);
        }
    }
}
