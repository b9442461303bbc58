package io.weft.agent.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.Explanation;
import io.weft.dataplane.Explanation.Choice;
import io.weft.dataplane.Explanation.Limits;
import io.weft.policy.model.EndpointAssignment.Health;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Where a request would go, for people and for scripts. */
final class ExplanationPage {
    private static final JsonFactory JSON = new JsonFactory();

    private final AskedRequest request;
    private final Explanation explanation;
    private final ClusterTags tags;
    private final Asked asked;

    /**
     * Whose request it would be.
     *
     * @param service may be empty
     */
    record Asked(String service, long pid) {}

    ExplanationPage(AskedRequest request, Explanation explanation, ClusterTags tags, Asked asked) {
        this.request = request;
        this.explanation = explanation;
        this.tags = tags;
        this.asked = asked;
    }

    String text() {
        StringBuilder text = new StringBuilder(request.method() + " " + request.url() + ", sent by "
                + (asked.service.isEmpty() ? "process " : asked.service + ", process ") + asked.pid + "\n");
        if (!explanation.inMesh()) {
            return text.append("  ").append(request.scheme().equals("http")
                    ? "no policy names " + request.authority() + ": it goes where it would go without the mesh; whom the mesh knows is listed by weft status --all"
                    : "over " + request.scheme() + " it is the app's own affair and goes where it would go without the mesh; services of the mesh are called by "
                            + "http://, also where mesh TLS secures it").append('\n').toString();
        }
        field(text, "virtual host", explanation.virtualHost());
        switch (explanation.outcome()) {
            case NO_ROUTE -> field(text, "route", "none: 404");
            case ANSWERED -> field(text, "route", name(explanation.route()) + ", which answers by itself");
            default -> {
                field(text, "route", name(explanation.route()));
                field(text, "limits", limits(explanation.limits()));
                explanation.clusters().forEach(choice -> cluster(text, choice));
            }
        }
        return text.toString();
    }

    private static String name(String route) {
        return route.isEmpty() ? "(without a name)" : route;
    }

    private static String limits(Limits limits) {
        return (limits.requestNanos() == 0 ? "no time limit" : millis(limits.requestNanos()) + " for all attempts")
                + (limits.perTryNanos() == 0 ? "" : ", " + millis(limits.perTryNanos()) + " for each")
                + (limits.retries() == 0 ? ", not tried again" : ", tried again up to " + limits.retries() + " times");
    }

    private static String millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos) + " ms";
    }

    private void cluster(StringBuilder text, Choice choice) {
        long sum = explanation.clusters().stream().mapToLong(Choice::weight).sum();
        String chosen = tags.text(choice.cluster());
        field(text, "cluster", (choice.cluster().isEmpty() ? "(the request names none)" : choice.cluster())
                + (chosen.isEmpty() ? "" : " (" + chosen + ")")
                + (explanation.clusters().size() == 1 ? "" : String.format(Locale.ROOT, ", %.4g %% of requests", 100.0 * choice.weight() / sum))
                + (choice.known() ? choice.endpoints().isEmpty() ? ": NO ENDPOINT, its requests get 503: no instance "
                        + (chosen.isEmpty() ? "" : "with these tags ") + "is registered; weft status --all lists who is" : ", " + StatusText.text(ClusterStats.transport(choice.endpoints()))
                        : ": there is no such cluster"));
        for (EndpointStats endpoint : choice.endpoints()) {
            field(text, "  endpoint", Addresses.text(endpoint.address()) + (usable(endpoint) ? "" : ", left out") + ", "
                    + StatusText.text(endpoint.transport()) + ", " + endpoint.health().name().toLowerCase(Locale.ROOT) + ", weight " + endpoint.weight()
                    + (endpoint.priority() == 0 ? "" : ", priority " + endpoint.priority())
                    + (endpoint.failsChecks() ? ", fails its health checks" : "") + (endpoint.ejected() ? ", EJECTED" : ""));
        }
    }

    private static boolean usable(EndpointStats endpoint) {
        return !endpoint.ejected() && !endpoint.failsChecks()
                && (endpoint.health() == Health.HEALTHY || endpoint.health() == Health.DEGRADED);
    }

    private static void field(StringBuilder text, String name, String value) {
        text.append(String.format("  %-12s %s%n", name, value));
    }

    String json() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeNumberField("pid", asked.pid);
            json.writeStringField("service", asked.service);
            json.writeBooleanField("inMesh", explanation.inMesh());
            json.writeStringField("outcome", explanation.outcome().name().toLowerCase(Locale.ROOT));
            json.writeStringField("virtualHost", explanation.virtualHost());
            json.writeStringField("route", explanation.route());
            json.writeNumberField("timeoutMs", TimeUnit.NANOSECONDS.toMillis(explanation.limits().requestNanos()));
            json.writeNumberField("perTryTimeoutMs", TimeUnit.NANOSECONDS.toMillis(explanation.limits().perTryNanos()));
            json.writeNumberField("retries", explanation.limits().retries());
            json.writeArrayFieldStart("clusters");
            for (Choice choice : explanation.clusters()) {
                json.writeStartObject();
                json.writeStringField("cluster", choice.cluster());
                json.writeObjectFieldStart("tags");
                for (Map.Entry<String, String> tag : tags.of(choice.cluster()).entrySet()) {
                    json.writeStringField(tag.getKey(), tag.getValue());
                }
                json.writeEndObject();
                json.writeNumberField("weight", choice.weight());
                json.writeBooleanField("known", choice.known());
                json.writeStringField("transport", ClusterStats.transport(choice.endpoints()).name().toLowerCase(Locale.ROOT));
                json.writeArrayFieldStart("endpoints");
                for (EndpointStats endpoint : choice.endpoints()) {
                    json.writeStartObject();
                    json.writeStringField("address", Addresses.text(endpoint.address()));
                    json.writeStringField("transport", endpoint.transport().name().toLowerCase(Locale.ROOT));
                    json.writeStringField("health", endpoint.health().name().toLowerCase(Locale.ROOT));
                    json.writeNumberField("priority", endpoint.priority());
                    json.writeNumberField("weight", endpoint.weight());
                    json.writeBooleanField("ejected", endpoint.ejected());
                    json.writeBooleanField("usable", usable(endpoint));
                    json.writeEndObject();
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
}
