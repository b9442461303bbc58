package io.weft.agent.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.Explanation;
import io.weft.dataplane.Explanation.Choice;
import io.weft.policy.model.EndpointAssignment.Health;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;

/** Where a request would go, for people and for scripts. */
final class ExplanationPage {
    private static final JsonFactory JSON = new JsonFactory();

    private final AskedRequest request;
    private final Explanation explanation;

    ExplanationPage(AskedRequest request, Explanation explanation) {
        this.request = request;
        this.explanation = explanation;
    }

    String text() {
        StringBuilder text = new StringBuilder(request.method() + " " + request.url() + "\n");
        if (!explanation.inMesh()) {
            return text.append("  no policy names ").append(request.authority()).append(": it goes where it would go without the mesh\n").toString();
        }
        field(text, "virtual host", explanation.virtualHost());
        switch (explanation.outcome()) {
            case NO_ROUTE -> field(text, "route", "none: 404");
            case ANSWERED -> field(text, "route", name(explanation.route()) + ", which answers by itself");
            default -> {
                field(text, "route", name(explanation.route()));
                explanation.clusters().forEach(choice -> cluster(text, choice));
            }
        }
        return text.toString();
    }

    private static String name(String route) {
        return route.isEmpty() ? "(without a name)" : route;
    }

    private void cluster(StringBuilder text, Choice choice) {
        long sum = explanation.clusters().stream().mapToLong(Choice::weight).sum();
        field(text, "cluster", (choice.cluster().isEmpty() ? "(the request names none)" : choice.cluster())
                + (explanation.clusters().size() == 1 ? "" : String.format(Locale.ROOT, ", %.4g %% of requests", 100.0 * choice.weight() / sum))
                + (choice.known() ? choice.endpoints().isEmpty() ? ": no endpoint" : ", " + StatusText.text(ClusterStats.transport(choice.endpoints()))
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
            json.writeBooleanField("inMesh", explanation.inMesh());
            json.writeStringField("outcome", explanation.outcome().name().toLowerCase(Locale.ROOT));
            json.writeStringField("virtualHost", explanation.virtualHost());
            json.writeStringField("route", explanation.route());
            json.writeArrayFieldStart("clusters");
            for (Choice choice : explanation.clusters()) {
                json.writeStartObject();
                json.writeStringField("cluster", choice.cluster());
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
