package io.weft.policy.parse;

import io.weft.policy.model.RouteAction.GrpcTimeout;
import io.weft.policy.model.RouteAction.StreamDuration;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.MaxStreamDuration;
import java.time.Duration;
import java.util.Optional;

/** The time limits of {@code envoy.config.route.v3.RouteAction}. */
final class TimeoutParser {
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(15);

    private TimeoutParser() {}

    @SuppressWarnings("deprecation") // max_grpc_timeout and grpc_timeout_offset
    static Timeouts route(Field field, RouteAction action) {
        Duration request = action.hasTimeout() ? field.at("timeout").notNegative(action.getTimeout()) : DEFAULT_TIMEOUT;
        Optional<Duration> idle = action.hasIdleTimeout()
                ? Optional.of(field.at("idle_timeout").notNegative(action.getIdleTimeout()))
                : Optional.empty();
        Optional<GrpcTimeout> grpc = action.hasMaxGrpcTimeout()
                ? Optional.of(new GrpcTimeout(
                        field.at("max_grpc_timeout").notNegative(action.getMaxGrpcTimeout()),
                        field.at("grpc_timeout_offset").notNegative(action.getGrpcTimeoutOffset())))
                : Optional.empty();
        field.reportIf(grpc.isEmpty() && action.hasGrpcTimeoutOffset(), "grpc_timeout_offset");
        return new Timeouts(
                request,
                idle,
                grpc,
                action.hasMaxStreamDuration()
                        ? Optional.of(streamDuration(field.at("max_stream_duration"), action.getMaxStreamDuration()))
                        : Optional.empty());
    }

    private static StreamDuration streamDuration(Field field, MaxStreamDuration duration) {
        Optional<Duration> max = duration.hasMaxStreamDuration()
                ? Optional.of(field.at("max_stream_duration").notNegative(duration.getMaxStreamDuration()))
                : Optional.empty();
        Optional<GrpcTimeout> grpc = duration.hasGrpcTimeoutHeaderMax()
                ? Optional.of(new GrpcTimeout(
                        field.at("grpc_timeout_header_max").notNegative(duration.getGrpcTimeoutHeaderMax()),
                        field.at("grpc_timeout_header_offset").notNegative(duration.getGrpcTimeoutHeaderOffset())))
                : Optional.empty();
        field.reportIf(grpc.isEmpty() && duration.hasGrpcTimeoutHeaderOffset(), "grpc_timeout_header_offset");
        return new StreamDuration(max, grpc);
    }
}
