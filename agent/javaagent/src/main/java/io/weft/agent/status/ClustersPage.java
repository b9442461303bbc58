package io.weft.agent.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.policy.model.CircuitBreakers.Thresholds;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.RoutingPriority;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;

/** Clusters and their endpoints, in the forms of Envoy's {@code /clusters}. */
final class ClustersPage {
    private static final JsonFactory JSON = new JsonFactory();

    private final List<ClusterStats> clusters;
    private final PolicySnapshot policy;

    ClustersPage(List<ClusterStats> clusters, PolicySnapshot policy) {
        this.clusters = clusters;
        this.policy = policy;
    }

    String text() {
        StringBuilder text = new StringBuilder();
        for (ClusterStats cluster : clusters) {
            String name = cluster.name() + "::";
            Cluster configured = policy.clusters().get(cluster.name());
            if (configured != null) {
                limits(text, name + "default_priority::", configured.resilience().circuitBreakers().of(RoutingPriority.DEFAULT));
                limits(text, name + "high_priority::", configured.resilience().circuitBreakers().of(RoutingPriority.HIGH));
            }
            for (EndpointStats endpoint : cluster.endpoints()) {
                String prefix = name + Addresses.text(endpoint.address()) + "::";
                line(text, prefix, "rq_active", endpoint.active());
                line(text, prefix, "rq_error", endpoint.failures());
                line(text, prefix, "rq_success", endpoint.successes());
                line(text, prefix, "rq_total", endpoint.failures() + endpoint.successes());
                line(text, prefix, "health_flags", flags(endpoint));
                line(text, prefix, "weight", endpoint.weight());
                line(text, prefix, "priority", endpoint.priority());
            }
        }
        return text.toString();
    }

    private static void limits(StringBuilder text, String prefix, Thresholds limits) {
        line(text, prefix, "max_connections", limits.maxConnections());
        line(text, prefix, "max_pending_requests", limits.maxPendingRequests());
        line(text, prefix, "max_requests", limits.maxRequests());
        line(text, prefix, "max_retries", limits.maxRetries());
    }

    private static void line(StringBuilder text, String prefix, String name, Object value) {
        text.append(prefix).append(name).append("::").append(value).append('\n');
    }

    private static String flags(EndpointStats endpoint) {
        String flags = (endpoint.failsChecks() ? "/failed_active_hc" : "") + (endpoint.ejected() ? "/failed_outlier_check" : "")
                + (endpoint.health() == Health.HEALTHY ? "" : "/" + (endpoint.health() == Health.DEGRADED ? "degraded_eds_health" : "failed_eds_health"));
        return flags.isEmpty() ? "healthy" : flags;
    }

    String json() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeArrayFieldStart("cluster_statuses");
            for (ClusterStats cluster : clusters) {
                json.writeStartObject();
                json.writeStringField("name", cluster.name());
                json.writeArrayFieldStart("host_statuses");
                for (EndpointStats endpoint : cluster.endpoints()) {
                    endpoint(json, endpoint);
                }
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.append('\n').toString();
    }

    private static void endpoint(JsonGenerator json, EndpointStats endpoint) throws IOException {
        json.writeStartObject();
        json.writeObjectFieldStart("address");
        json.writeObjectFieldStart("socket_address");
        json.writeStringField("address", endpoint.address().getAddress().getHostAddress());
        json.writeNumberField("port_value", endpoint.address().getPort());
        json.writeEndObject();
        json.writeEndObject();
        json.writeArrayFieldStart("stats");
        stat(json, "COUNTER", "rq_error", endpoint.failures());
        stat(json, "COUNTER", "rq_success", endpoint.successes());
        stat(json, "COUNTER", "rq_total", endpoint.failures() + endpoint.successes());
        stat(json, "GAUGE", "rq_active", endpoint.active());
        json.writeEndArray();
        json.writeObjectFieldStart("health_status");
        if (endpoint.failsChecks()) {
            json.writeBooleanField("failed_active_health_check", true);
        }
        if (endpoint.ejected()) {
            json.writeBooleanField("failed_outlier_check", true);
        }
        json.writeStringField("eds_health_status", endpoint.health().name().toUpperCase(Locale.ROOT));
        json.writeEndObject();
        json.writeNumberField("weight", endpoint.weight());
        json.writeNumberField("priority", endpoint.priority());
        json.writeEndObject();
    }

    /** In Protobuf's JSON a number of 64 bits is text. */
    private static void stat(JsonGenerator json, String type, String name, long value) throws IOException {
        json.writeStartObject();
        json.writeStringField("type", type);
        json.writeStringField("name", name);
        json.writeStringField("value", Long.toString(value));
        json.writeEndObject();
    }
}
