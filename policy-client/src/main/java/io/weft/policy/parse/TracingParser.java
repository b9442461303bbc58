package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.TelemetryService;
import io.weft.policy.model.Tracing;
import io.weft.policy.model.Tracing.Literal;
import io.weft.policy.model.Tracing.OfEnvironment;
import io.weft.policy.model.Tracing.OfHeader;
import io.weft.policy.model.Tracing.Sampling;
import io.weft.policy.model.Tracing.Tag;
import io.weft.policy.proto.envoy.config.core.v3.GrpcService;
import io.weft.policy.proto.envoy.config.core.v3.HttpService;
import io.weft.policy.proto.envoy.config.trace.v3.OpenTelemetryConfig;
import io.weft.policy.proto.envoy.type.tracing.v3.CustomTag;
import io.weft.policy.proto.envoy.type.v3.Percent;
import io.weft.policy.proto.protobuf.Any;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** {@code HttpConnectionManager.Tracing}. Of providers OpenTelemetry's is one that an agent can send to. */
final class TracingParser {
    private static final String OPEN_TELEMETRY = "envoy.config.trace.v3.OpenTelemetryConfig";

    private TracingParser() {}

    /** As the filter that comes before all others. */
    static List<NamedFilter> parse(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing tracing) {
        field.reportIf(tracing.getVerbose(), "verbose");
        field.reportIf(tracing.hasSpawnUpstreamSpan(), "spawn_upstream_span");
        Sampling sampling = new Sampling(
                percent(field.at("client_sampling"), tracing.hasClientSampling(), tracing.getClientSampling()),
                percent(field.at("random_sampling"), tracing.hasRandomSampling(), tracing.getRandomSampling()),
                percent(field.at("overall_sampling"), tracing.hasOverallSampling(), tracing.getOverallSampling()));
        int maxPathLength = tracing.hasMaxPathTagLength()
                ? Field.limit(tracing.getMaxPathTagLength().getValue())
                : Tracing.DEFAULT_MAX_PATH_LENGTH;
        return List.of(new NamedFilter(
                "tracing", new HttpFilter.Traces(new Tracing(
                        sampling, maxPathLength, tags(field, tracing.getCustomTagsList()), collector(field.at("provider"), tracing))), false));
    }

    private static Optional<TelemetryService> collector(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing tracing) {
        if (!tracing.hasProvider()) {
            return Optional.empty();
        }
        Any config = tracing.getProvider().getTypedConfig();
        if (!Extensions.typeOf(config).equals(OPEN_TELEMETRY)) {
            field.report();
            return Optional.empty();
        }
        Field at = field.at("typed_config");
        try {
            OpenTelemetryConfig said = OpenTelemetryConfig.parseFrom(config.getValue());
            at.reportIf(said.getResourceDetectorsCount() > 0, "resource_detectors");
            at.reportIf(said.hasSampler(), "sampler");
            return said.hasHttpService()
                    ? overHttp(at.at("http_service"), said.getHttpService())
                    : byGrpc(at.at("grpc_service"), said.getGrpcService());
        } catch (InvalidProtocolBufferException e) {
            throw at.refuse("is not a valid " + OPEN_TELEMETRY + ": " + e.getMessage());
        }
    }

    private static Optional<TelemetryService> byGrpc(Field field, GrpcService service) {
        field.reportIf(service.hasTimeout(), "timeout", service.getTimeout());
        field.reportIf(service.getInitialMetadataCount() > 0, "initial_metadata");
        field.reportIf(service.hasRetryPolicy(), "retry_policy");
        if (!service.hasEnvoyGrpc()) {
            field.report("must name a cluster");
            return Optional.empty();
        }
        return Optional.of(new TelemetryService(
                field.at("envoy_grpc").at("cluster_name").notEmpty(service.getEnvoyGrpc().getClusterName()), Optional.empty()));
    }

    private static Optional<TelemetryService> overHttp(Field field, HttpService service) {
        field.reportIf(service.getRequestHeadersToAddCount() > 0, "request_headers_to_add");
        Field uri = field.at("http_uri");
        uri.reportIf(service.getHttpUri().hasTimeout(), "timeout", service.getHttpUri().getTimeout());
        String cluster = uri.at("cluster").notEmpty(service.getHttpUri().getCluster());
        try {
            String path = new URI(service.getHttpUri().getUri()).getRawPath();
            return Optional.of(new TelemetryService(cluster, Optional.of(path == null || path.isEmpty() ? "/" : path)));
        } catch (URISyntaxException e) {
            throw uri.at("uri").refuse("is no URI: " + e.getMessage());
        }
    }

    private static double percent(Field field, boolean set, Percent percent) {
        return set ? field.percent(percent.getValue()) : 100;
    }

    /** Of two with one name the first counts, as in Envoy. */
    private static List<Tag> tags(Field parent, List<CustomTag> tags) {
        Map<String, Tag> byName = new LinkedHashMap<>();
        for (int i = 0; i < tags.size(); i++) {
            CustomTag tag = tags.get(i);
            Field field = parent.at("custom_tags", i);
            String name = field.at("tag").notEmpty(tag.getTag());
            switch (tag.getTypeCase()) {
                case LITERAL -> byName.putIfAbsent(
                        name, new Literal(name, field.at("literal").at("value").notEmpty(tag.getLiteral().getValue())));
                case ENVIRONMENT -> byName.putIfAbsent(name, new OfEnvironment(
                        name, field.at("environment").at("name").notEmpty(tag.getEnvironment().getName()),
                        tag.getEnvironment().getDefaultValue()));
                case REQUEST_HEADER -> byName.putIfAbsent(name, new OfHeader(
                        name,
                        field.at("request_header").at("name").notEmpty(tag.getRequestHeader().getName()).toLowerCase(Locale.ROOT),
                        tag.getRequestHeader().getDefaultValue()));
                // What there is of it, a token's payload, is not for spans.
                case METADATA -> field.at("metadata").report();
                // A newer Envoy's: a span less well described is no reason to be without the listener.
                default -> field.report("a tag of a kind that is not known here");
            }
        }
        return new ArrayList<>(byName.values());
    }
}
