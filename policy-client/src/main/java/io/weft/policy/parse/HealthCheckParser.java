package io.weft.policy.parse;

import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HealthCheck.Intervals;
import io.weft.policy.model.HealthCheck.Jitter;
import io.weft.policy.model.HealthCheck.Payload;
import io.weft.policy.model.HealthCheck.Statuses;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck.GrpcHealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck.HttpHealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck.TcpHealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.RequestMethod;
import io.weft.policy.proto.envoy.type.v3.CodecClientType;
import io.weft.policy.proto.envoy.type.v3.Int64Range;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code envoy.config.core.v3.HealthCheck}. */
final class HealthCheckParser {
    private static final Duration DEFAULT_NO_TRAFFIC = Duration.ofSeconds(60);
    private static final long DEFAULT_RECEIVE_LIMIT = 1024;
    private static final Set<RequestMethod> WITHOUT_BODY =
            Set.of(RequestMethod.GET, RequestMethod.HEAD, RequestMethod.DELETE, RequestMethod.TRACE);

    private HealthCheckParser() {}

    @SuppressWarnings("deprecation") // event_log_path
    static HealthCheck parse(Field field, io.weft.policy.proto.envoy.config.core.v3.HealthCheck check) {
        field.refuseIf(!check.hasTimeout(), "timeout", "is missing");
        field.refuseIf(!check.hasInterval(), "interval", "is missing");
        field.refuseIf(!check.hasUnhealthyThreshold(), "unhealthy_threshold", "is missing");
        field.refuseIf(!check.hasHealthyThreshold(), "healthy_threshold", "is missing");
        // What is logged, and the options of TLS, which is not spoken here yet.
        field.reportIf(!check.getEventLogPath().isEmpty(), "event_log_path");
        field.reportIf(check.getEventLoggerCount() > 0, "event_logger");
        field.reportIf(check.hasEventService(), "event_service");
        field.reportIf(check.getAlwaysLogHealthCheckFailures(), "always_log_health_check_failures");
        field.reportIf(check.getAlwaysLogHealthCheckSuccess(), "always_log_health_check_success");
        field.reportIf(check.hasTlsOptions(), "tls_options");
        field.reportIf(check.hasTransportSocketMatchCriteria(), "transport_socket_match_criteria");
        int port = check.hasAltPort() ? check.getAltPort().getValue() : 0;
        field.refuseIf(port < 0 || port > 65_535, "alt_port", "must be 0 to 65535");
        return new HealthCheck(
                field.at("timeout").positive(check.getTimeout()),
                intervals(field, check),
                Field.limit(check.getUnhealthyThreshold().getValue()),
                Field.limit(check.getHealthyThreshold().getValue()),
                !check.hasReuseConnection() || check.getReuseConnection().getValue(),
                port,
                protocol(field, check));
    }

    private static Intervals intervals(Field field, io.weft.policy.proto.envoy.config.core.v3.HealthCheck check) {
        Duration interval = field.at("interval").positive(check.getInterval());
        Duration noTraffic = check.hasNoTrafficInterval()
                ? field.at("no_traffic_interval").positive(check.getNoTrafficInterval())
                : DEFAULT_NO_TRAFFIC;
        Duration unhealthy = check.hasUnhealthyInterval()
                ? field.at("unhealthy_interval").positive(check.getUnhealthyInterval())
                : interval;
        int percent = check.getIntervalJitterPercent();
        field.refuseIf(percent < 0, "interval_jitter_percent", "is too large");
        return new Intervals(
                interval,
                noTraffic,
                check.hasNoTrafficHealthyInterval()
                        ? field.at("no_traffic_healthy_interval").positive(check.getNoTrafficHealthyInterval())
                        : noTraffic,
                unhealthy,
                check.hasUnhealthyEdgeInterval()
                        ? field.at("unhealthy_edge_interval").positive(check.getUnhealthyEdgeInterval())
                        : unhealthy,
                check.hasHealthyEdgeInterval()
                        ? field.at("healthy_edge_interval").positive(check.getHealthyEdgeInterval())
                        : interval,
                new Jitter(
                        field.at("initial_jitter").notNegative(check.getInitialJitter()),
                        field.at("interval_jitter").notNegative(check.getIntervalJitter()),
                        percent));
    }

    private static HealthCheck.Protocol protocol(Field field, io.weft.policy.proto.envoy.config.core.v3.HealthCheck check) {
        switch (check.getHealthCheckerCase()) {
            case HTTP_HEALTH_CHECK:
                return http(field.at("http_health_check"), check.getHttpHealthCheck());
            case GRPC_HEALTH_CHECK:
                return grpc(field.at("grpc_health_check"), check.getGrpcHealthCheck());
            case TCP_HEALTH_CHECK:
                return tcp(field.at("tcp_health_check"), check.getTcpHealthCheck());
            case CUSTOM_HEALTH_CHECK:
                throw field.at("custom_health_check")
                        .refuse("is not supported; use http_health_check, grpc_health_check or tcp_health_check");
            default:
                throw field.refuse("says not what to check; set http_health_check, grpc_health_check or tcp_health_check");
        }
    }

    private static HealthCheck.Http http(Field field, HttpHealthCheck check) {
        RequestMethod method = check.getMethod() == RequestMethod.METHOD_UNSPECIFIED ? RequestMethod.GET : check.getMethod();
        field.refuseIf(method == RequestMethod.UNRECOGNIZED || method == RequestMethod.CONNECT, "method", "is not one to check with");
        field.refuseIf(check.hasSend() && WITHOUT_BODY.contains(method), "send", "is not for method " + method);
        List<Payload> receive = payloads(field, check.getReceiveList());
        long limit = check.hasResponseBufferSize() ? check.getResponseBufferSize().getValue() : DEFAULT_RECEIVE_LIMIT;
        int size = receive.stream().mapToInt(part -> part.latin1().length()).sum();
        field.refuseIf(limit > 0 && size > limit, "receive", "is longer than response_buffer_size");
        return new HealthCheck.Http(
                version(field.at("codec_client_type"), check.getCodecClientType()),
                field.at("host").headerText(check.getHost()),
                field.at("path").headerText(field.at("path").notEmpty(check.getPath())),
                method.name(),
                statuses(field, "expected_statuses", check.getExpectedStatusesList(), List.of(new Statuses(200, 201))),
                statuses(field, "retriable_statuses", check.getRetriableStatusesList(), List.of()),
                texts(field, "request_headers_to_add", HeaderChangesParser.parse(
                        field, check.getRequestHeadersToAddList(), check.getRequestHeadersToRemoveList(), List.of(), List.of())),
                check.hasSend() ? payload(field.at("send"), check.getSend()) : Payload.EMPTY,
                receive,
                Math.max(0, limit),
                check.hasServiceNameMatcher()
                        ? Optional.of(MatchParser.string(field.at("service_name_matcher"), check.getServiceNameMatcher()))
                        : Optional.empty());
    }

    private static HttpVersion version(Field field, CodecClientType type) {
        switch (type) {
            case HTTP1:
                return HttpVersion.HTTP_1_1;
            case HTTP2:
                return HttpVersion.HTTP_2;
            case HTTP3:
                throw field.refuse("HTTP3 is not supported; use HTTP1 or HTTP2");
            default:
                throw field.refuse("is unknown");
        }
    }

    private static List<Statuses> statuses(Field parent, String name, List<Int64Range> ranges, List<Statuses> otherwise) {
        List<Statuses> statuses = new ArrayList<>(ranges.size());
        for (int i = 0; i < ranges.size(); i++) {
            Int64Range range = ranges.get(i);
            Field field = parent.at(name, i);
            field.refuseIf(range.getStart() < 100, "start", "must be 100 or more");
            field.refuseIf(range.getEnd() > 600, "end", "must be 600 or less");
            field.refuseIf(range.getStart() >= range.getEnd(), "end", "must be more than start; it is not included");
            statuses.add(new Statuses((int) range.getStart(), (int) range.getEnd()));
        }
        return statuses.isEmpty() ? otherwise : statuses;
    }

    private static HealthCheck.Grpc grpc(Field field, GrpcHealthCheck check) {
        return new HealthCheck.Grpc(
                check.getServiceName(),
                field.at("authority").headerText(check.getAuthority()),
                check.getInitialMetadataCount() == 0
                        ? HeaderChanges.NONE
                        : texts(field, "initial_metadata", HeaderChangesParser.parse(
                                field.at("initial_metadata"), check.getInitialMetadataList(), List.of(), List.of(), List.of())));
    }

    /** There is no request that an operator could stand for something of. */
    private static HeaderChanges texts(Field parent, String name, HeaderChanges changes) {
        for (int i = 0; i < changes.requestAdd().size(); i++) {
            parent.refuseIf(!changes.requestAdd().get(i).value().isText(), name + "[" + i + "]",
                    "holds a command operator, which a health check has no value for");
        }
        return changes;
    }

    private static HealthCheck.Tcp tcp(Field field, TcpHealthCheck check) {
        field.refuseIf(check.hasProxyProtocolConfig(), "proxy_protocol_config", "is not supported; leave it out");
        return new HealthCheck.Tcp(
                check.hasSend() ? payload(field.at("send"), check.getSend()) : Payload.EMPTY,
                payloads(field, check.getReceiveList()));
    }

    private static List<Payload> payloads(
            Field parent, List<io.weft.policy.proto.envoy.config.core.v3.HealthCheck.Payload> parts) {
        List<Payload> payloads = new ArrayList<>(parts.size());
        for (int i = 0; i < parts.size(); i++) {
            payloads.add(payload(parent.at("receive", i), parts.get(i)));
        }
        return payloads;
    }

    private static Payload payload(Field field, io.weft.policy.proto.envoy.config.core.v3.HealthCheck.Payload payload) {
        switch (payload.getPayloadCase()) {
            case TEXT:
                return new Payload(fromHex(field.at("text"), payload.getText()));
            case BINARY:
                return new Payload(payload.getBinary().toString(StandardCharsets.ISO_8859_1));
            default:
                throw field.refuse("is empty; set text to hexadecimal digits");
        }
    }

    private static String fromHex(Field field, String hex) {
        StringBuilder bytes = new StringBuilder(hex.length() / 2);
        for (int i = 0; i + 1 < hex.length(); i += 2) {
            int high = Character.digit(hex.charAt(i), 16);
            int low = Character.digit(hex.charAt(i + 1), 16);
            if (high < 0 || low < 0) {
                throw field.refuse("must be hexadecimal digits, two for each byte");
            }
            bytes.append((char) (high << 4 | low));
        }
        if (hex.isEmpty() || hex.length() % 2 != 0) {
            throw field.refuse("must be hexadecimal digits, two for each byte");
        }
        return bytes.toString();
    }
}
