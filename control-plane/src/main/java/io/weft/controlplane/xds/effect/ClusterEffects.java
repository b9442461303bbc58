package io.weft.controlplane.xds.effect;

import com.google.protobuf.Duration;
import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers.Thresholds;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** What callers do otherwise when the settings of the connections to what they call change, or its instances. */
public final class ClusterEffects {
    private final Called called;

    public ClusterEffects(Called called) {
        this.called = called;
    }

    /** @param name of the resource; one of the two may be nothing but its default */
    public List<String> of(String name, Cluster was, Cluster is) {
        String subject = called.service(name, "").isEmpty() ? called.self() : called.to(called.destination(name));
        if (was.getName().isEmpty()) {
            return List.of(subject + ": becomes a destination");
        }
        if (is.getName().isEmpty()) {
            return List.of(subject + ": is no destination any more");
        }
        List<String> phrases = new ArrayList<>();
        time("timeout of a connect", was.getConnectTimeout(), is.getConnectTimeout(), phrases);
        limits(was, is, phrases);
        outliers(was, is, phrases);
        if (was.getHealthChecksCount() == 0 && is.getHealthChecksCount() > 0) {
            phrases.add("its instances are asked every " + Called.text(is.getHealthChecks(0).getInterval())
                    + " how they are, and left out when they are not well");
        } else if (is.getHealthChecksCount() == 0 && was.getHealthChecksCount() > 0) {
            phrases.add("its instances are no longer asked how they are");
        } else if (!was.getHealthChecksList().equals(is.getHealthChecksList())) {
            phrases.add("its instances are asked otherwise how they are");
        }
        if (was.getLbPolicy() != is.getLbPolicy()) {
            phrases.add("balanced by " + words(was.getLbPolicy()) + " → " + words(is.getLbPolicy()));
        }
        if (was.getTransportSocketMatchesCount() == 0 && is.getTransportSocketMatchesCount() > 0) {
            phrases.add("called by TLS where an instance takes it");
        } else if (is.getTransportSocketMatchesCount() == 0 && was.getTransportSocketMatchesCount() > 0) {
            phrases.add("called in plaintext");
        }
        if (phrases.isEmpty()) {
            phrases.add("connections to it have other settings: see the fields");
        }
        return phrases.stream().map(phrase -> subject + ": " + phrase).toList();
    }

    private static void time(String what, Duration was, Duration is, List<String> phrases) {
        if (!was.equals(is)) {
            phrases.add(what + " " + Called.text(was) + " → " + Called.text(is));
        }
    }

    private static void limits(Cluster was, Cluster is, List<String> phrases) {
        Thresholds old = thresholds(was);
        Thresholds now = thresholds(is);
        limit("requests at once", old, now, Thresholds::hasMaxRequests, Thresholds::getMaxRequests, phrases);
        limit("requests that wait", old, now, Thresholds::hasMaxPendingRequests, Thresholds::getMaxPendingRequests, phrases);
        limit("connections", old, now, Thresholds::hasMaxConnections, Thresholds::getMaxConnections, phrases);
        limit("retries at once", old, now, Thresholds::hasMaxRetries, Thresholds::getMaxRetries, phrases);
    }

    private static Thresholds thresholds(Cluster cluster) {
        return cluster.getCircuitBreakers().getThresholdsCount() == 0
                ? Thresholds.getDefaultInstance() : cluster.getCircuitBreakers().getThresholds(0);
    }

    private static void limit(
            String what, Thresholds was, Thresholds is, Function<Thresholds, Boolean> has, Function<Thresholds, UInt32Value> get, List<String> phrases) {
        String old = text(has.apply(was), get.apply(was));
        String now = text(has.apply(is), get.apply(is));
        if (!old.equals(now)) {
            phrases.add("most " + what + " " + old + " → " + now);
        }
    }

    private static String text(boolean has, UInt32Value limit) {
        return !has ? "Envoy's default" : limit.getValue() < 0 ? "any" : Integer.toString(limit.getValue());
    }

    private static void outliers(Cluster was, Cluster is, List<String> phrases) {
        OutlierDetection old = was.getOutlierDetection();
        OutlierDetection now = is.getOutlierDetection();
        if (!was.hasOutlierDetection() && is.hasOutlierDetection()) {
            phrases.add("an instance that fails is left alone for a while");
        } else if (was.hasOutlierDetection() && !is.hasOutlierDetection()) {
            phrases.add("an instance that fails goes on being called");
        } else if (!old.equals(now)) {
            boolean inARow = old.getConsecutive5Xx().equals(now.getConsecutive5Xx());
            phrases.add(inARow
                    ? "an instance that fails is left alone by other rules: see the fields"
                    : now.getConsecutive5Xx().getValue() == 0
                            ? "an instance is no longer left alone for errors in a row (were: " + row(old) + ")"
                            : "an instance is left alone after " + row(now) + " errors in a row (were: " + row(old) + ")");
        }
    }

    /** None of them is too many where it is 0. */
    private static String row(OutlierDetection detection) {
        int most = detection.getConsecutive5Xx().getValue();
        return most == 0 ? "any number" : Integer.toString(most);
    }

    private static String words(Cluster.LbPolicy policy) {
        return policy.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    public List<String> of(String name, ClusterLoadAssignment was, ClusterLoadAssignment is) {
        if (is.getClusterName().isEmpty()) {
            // Of the cluster it is said that it is no destination any more.
            return List.of();
        }
        int before = instances(was);
        int after = instances(is);
        if (after == 0) {
            return List.of(called.to(called.destination(name)) + ": has NO INSTANCE" + (before == 0 ? "" : " any more (were: " + before + ")")
                    + ", what goes there gets 503");
        }
        return List.of(called.to(called.destination(name)) + ": " + (before == after
                ? "its instances are weighed, grouped or told apart otherwise: see the fields"
                : after + " of its instances are called (were: " + before + ")"));
    }

    private static int instances(ClusterLoadAssignment assignment) {
        return assignment.getEndpointsList().stream().mapToInt(locality -> locality.getLbEndpointsCount()).sum();
    }
}
