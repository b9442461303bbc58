package io.weft.controlplane.xds.effect;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.QueryParameterMatcher;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster.ClusterWeight;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What callers do otherwise when the routes to what they call change. */
public final class RouteEffects {
    private static final double WHOLE = 100;

    private final Called called;

    public RouteEffects(Called called) {
        this.called = called;
    }

    public List<String> of(RouteConfiguration was, RouteConfiguration is) {
        Map<String, VirtualHost> before = byName(was);
        Map<String, VirtualHost> after = byName(is);
        Set<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        List<String> effects = new ArrayList<>();
        for (String name : names) {
            VirtualHost old = before.get(name);
            VirtualHost now = after.get(name);
            if (!Objects.equals(old, now)) {
                effects.addAll(of(old, now));
            }
        }
        return effects;
    }

    private static Map<String, VirtualHost> byName(RouteConfiguration routes) {
        Map<String, VirtualHost> hosts = new TreeMap<>();
        routes.getVirtualHostsList().forEach(host -> hosts.put(host.getName(), host));
        return hosts;
    }

    private List<String> of(VirtualHost was, VirtualHost is) {
        VirtualHost any = is == null ? was : is;
        String service = called.service(any.getName(), any.getDomainsCount() == 0 ? any.getName() : any.getDomains(0));
        String subject = called.to(service);
        if (was == null) {
            return List.of(subject + ": is called through the mesh now, as " + String.join(", ", is.getDomainsList()));
        }
        if (is == null) {
            return List.of(subject + ": is unknown to the mesh now: calls go where its name leads without it");
        }
        List<String> effects = new ArrayList<>();
        if (!was.getDomainsList().equals(is.getDomainsList())) {
            effects.add(subject + ": is called " + String.join(", ", is.getDomainsList()) + " (was: " + String.join(", ", was.getDomainsList()) + ")");
        }
        Map<String, Treated> before = treated(was, service);
        Map<String, Treated> after = treated(is, service);
        for (String condition : before.keySet()) {
            if (!after.containsKey(condition)) {
                effects.add(subject + ": requests" + condition + " are no longer told from others");
            }
        }
        Map<String, Set<String>> phrases = new LinkedHashMap<>();
        int compared = 0;
        for (Map.Entry<String, Treated> each : after.entrySet()) {
            Treated old = before.get(each.getKey());
            if (old == null) {
                effects.add(subject + ": requests" + each.getKey() + " now go " + shares(each.getValue().shares));
                continue;
            }
            compared++;
            if (!old.shares.equals(each.getValue().shares)) {
                effects.add(subject + ": " + moved(each.getKey(), old.shares, each.getValue().shares));
            }
            for (String phrase : settings(old.route, each.getValue().route)) {
                phrases.computeIfAbsent(phrase, first -> new LinkedHashSet<>()).add(each.getKey());
            }
        }
        for (Map.Entry<String, Set<String>> phrase : phrases.entrySet()) {
            String which = phrase.getValue().size() == compared ? "" : "requests" + String.join("; or", phrase.getValue()) + ": ";
            effects.add(subject + ": " + which + phrase.getKey());
        }
        return effects;
    }

    /**
     * What becomes of requests of one kind.
     *
     * @param shares percent by where they go
     * @param route the one that is not of a share only
     */
    private record Treated(Map<String, Double> shares, Route route) {}

    /** By which requests it is for; empty: all others. */
    private Map<String, Treated> treated(VirtualHost host, String service) {
        Map<String, Treated> all = new LinkedHashMap<>();
        Map<String, Double> unavailable = new LinkedHashMap<>();
        for (Route route : host.getRoutesList()) {
            if (isBesideItsPrefix(route, host)) {
                continue;
            }
            String condition = condition(route.getMatch());
            if (route.getMatch().hasRuntimeFraction()) {
                unavailable.put(condition, percent(route.getMatch().getRuntimeFraction()));
                continue;
            }
            Map<String, Double> shares = new LinkedHashMap<>();
            double failing = unavailable.getOrDefault(condition, 0.0);
            if (failing > 0) {
                shares.put("nowhere (500)", failing);
            }
            goesTo(route, service).forEach((where, share) -> shares.merge(where, share * (WHOLE - failing) / WHOLE, Double::sum));
            all.putIfAbsent(condition, new Treated(shares, route));
        }
        return all;
    }

    /** A prefix of whole segments is two routes. */
    private static boolean isBesideItsPrefix(Route route, VirtualHost host) {
        return route.getMatch().hasPath() && host.getRoutesList().stream().anyMatch(other ->
                other.getName().equals(route.getName()) && other.getMatch().getPrefix().equals(route.getMatch().getPath() + "/"));
    }

    private Map<String, Double> goesTo(Route route, String service) {
        Map<String, Double> shares = new LinkedHashMap<>();
        if (route.hasRedirect()) {
            shares.put("nowhere: they are redirected", WHOLE);
        } else if (route.hasDirectResponse()) {
            shares.put("nowhere (" + route.getDirectResponse().getStatus() + ")", WHOLE);
        } else if (route.getRoute().hasWeightedClusters()) {
            List<ClusterWeight> clusters = route.getRoute().getWeightedClusters().getClustersList();
            long total = clusters.stream().mapToLong(cluster -> cluster.getWeight().getValue()).sum();
            for (ClusterWeight cluster : clusters) {
                shares.merge(called.share(cluster.getName(), service), WHOLE * cluster.getWeight().getValue() / Math.max(1, total), Double::sum);
            }
        } else {
            shares.put(called.share(route.getRoute().getCluster(), service), WHOLE);
        }
        return shares;
    }

    private static String moved(String condition, Map<String, Double> was, Map<String, Double> is) {
        if (was.containsKey(Called.ALL_ALIKE) || is.containsKey(Called.ALL_ALIKE)) {
            return "requests" + condition + " now go " + shares(is) + " (before: " + shares(was) + ")";
        }
        Set<String> places = new LinkedHashSet<>(is.keySet());
        places.addAll(was.keySet());
        List<String> ordered = new ArrayList<>(places);
        ordered.sort((one, other) -> Double.compare(gain(other, was, is), gain(one, was, is)));
        List<String> moves = new ArrayList<>();
        for (String place : ordered) {
            if (gain(place, was, is) != 0) {
                moves.add(percent(is.getOrDefault(place, 0.0)) + (moves.isEmpty() ? " of requests" + condition + " now go" : "") + " to " + place
                        + " (were: " + percent(was.getOrDefault(place, 0.0)) + ")");
            }
        }
        return String.join(", ", moves);
    }

    private static double gain(String place, Map<String, Double> was, Map<String, Double> is) {
        return is.getOrDefault(place, 0.0) - was.getOrDefault(place, 0.0);
    }

    private static String shares(Map<String, Double> shares) {
        List<String> all = new ArrayList<>();
        shares.forEach((where, share) -> all.add((share == WHOLE ? "" : percent(share) + " ") + (where.startsWith("nowhere") ? where : "to " + where)));
        return String.join(", ", all);
    }

    /** With as many digits as it takes, and at most two. */
    static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f", share).replaceFirst("\\.?0+$", "") + " %";
    }

    private static double percent(RuntimeFractionalPercent fraction) {
        double whole = switch (fraction.getDefaultValue().getDenominator()) {
            case TEN_THOUSAND -> 10_000;
            case MILLION -> 1_000_000;
            default -> WHOLE;
        };
        return WHOLE * fraction.getDefaultValue().getNumerator() / whole;
    }

    private static String condition(RouteMatch match) {
        List<String> conditions = new ArrayList<>();
        if (match.hasPath()) {
            conditions.add("for " + match.getPath());
        } else if (match.hasSafeRegex()) {
            conditions.add("for paths like " + match.getSafeRegex().getRegex());
        } else if (!match.getPrefix().equals("/")) {
            String prefix = match.getPrefix();
            conditions.add("for " + (prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) + " and below it" : prefix + "…"));
        }
        for (HeaderMatcher header : match.getHeadersList()) {
            conditions.add(header.getName().equals(":method")
                    ? "by " + header.getStringMatch().getExact()
                    : (header.hasPresentMatch() && !header.getPresentMatch() ? "without header " : "with header ") + header.getName()
                            + (header.hasPresentMatch() ? "" : ": " + value(header.getStringMatch())));
        }
        for (QueryParameterMatcher query : match.getQueryParametersList()) {
            conditions.add("with " + query.getName() + "=" + value(query.getStringMatch()) + " in the query");
        }
        return conditions.isEmpty() ? "" : " " + String.join(" and ", conditions);
    }

    private static String value(StringMatcher matcher) {
        return switch (matcher.getMatchPatternCase()) {
            case EXACT -> matcher.getExact();
            case PREFIX -> matcher.getPrefix() + "…";
            case SAFE_REGEX -> "like " + matcher.getSafeRegex().getRegex();
            default -> matcher.getMatchPatternCase().name();
        };
    }

    private static List<String> settings(Route was, Route is) {
        List<String> phrases = new ArrayList<>();
        RouteAction old = was.getRoute();
        RouteAction now = is.getRoute();
        if (!old.getTimeout().equals(now.getTimeout())) {
            phrases.add("timeout " + Called.text(old.getTimeout()) + " → " + Called.text(now.getTimeout()));
        }
        if (!old.getIdleTimeout().equals(now.getIdleTimeout())) {
            phrases.add("timeout of an idle stream " + Called.text(old.getIdleTimeout()) + " → " + Called.text(now.getIdleTimeout()));
        }
        retries(old, now, phrases);
        if (!old.getRequestMirrorPoliciesList().equals(now.getRequestMirrorPoliciesList())) {
            phrases.add(now.getRequestMirrorPoliciesCount() == 0
                    ? "requests are no longer copied"
                    : "requests are copied elsewhere" + (old.getRequestMirrorPoliciesCount() == 0 ? " now" : " in other shares"));
        }
        if (!old.getHashPolicyList().equals(now.getHashPolicyList())) {
            phrases.add(now.getHashPolicyCount() == 0
                    ? "requests of one caller no longer stay with one instance"
                    : "requests stay with one instance by another property than before");
        }
        if (!plain(was).equals(plain(is))) {
            phrases.add("headers, path or host are changed on the way otherwise than before: see the fields");
        }
        return phrases;
    }

    private static void retries(RouteAction old, RouteAction now, List<String> phrases) {
        RetryPolicy was = old.getRetryPolicy();
        RetryPolicy is = now.getRetryPolicy();
        if (was.equals(is) && old.hasRetryPolicy() == now.hasRetryPolicy()) {
            return;
        }
        if (!now.hasRetryPolicy() || !old.hasRetryPolicy()) {
            phrases.add("what fails is " + (now.hasRetryPolicy() ? "tried again, " + times(is) + ", on " + on(is) : "no longer tried again"));
            return;
        }
        int phrasesBefore = phrases.size();
        if (!times(was).equals(times(is))) {
            phrases.add("tried again " + times(was) + " → " + times(is));
        }
        if (!on(was).equals(on(is))) {
            phrases.add("tried again on " + on(was) + " → " + on(is));
        }
        if (!was.getPerTryTimeout().equals(is.getPerTryTimeout())) {
            phrases.add("timeout of an attempt " + Called.text(was.getPerTryTimeout()) + " → " + Called.text(is.getPerTryTimeout()));
        }
        if (phrases.size() == phrasesBefore) {
            phrases.add("what fails is tried again after other pauses, or elsewhere: see the fields");
        }
    }

    private static String times(RetryPolicy policy) {
        UInt32Value most = policy.getNumRetries();
        return policy.hasNumRetries() && most.getValue() != 1 ? most.getValue() + " times at most" : "once at most";
    }

    private static String on(RetryPolicy policy) {
        String codes = policy.getRetriableStatusCodesCount() == 0 ? "" : " " + policy.getRetriableStatusCodesList();
        return policy.getRetryOn().replace(",", ", ") + codes;
    }

    /** Without what is said apart. */
    private static Route plain(Route route) {
        Route.Builder builder = route.toBuilder().clearMatch().clearName();
        if (builder.hasRoute()) {
            builder.getRouteBuilder().clearTimeout().clearIdleTimeout().clearRetryPolicy().clearRequestMirrorPolicies().clearHashPolicy()
                    .clearCluster().clearWeightedClusters();
        }
        return builder.clearRedirect().clearDirectResponse().build();
    }
}
