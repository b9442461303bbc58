package io.weft.agent.otlp;

import io.weft.policy.model.HostPort;
import io.weft.policy.xds.UnaryCall;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** An OpenTelemetry collector by OTLP over gRPC, with a connection for each call. */
public record GrpcCollector(HostPort address, boolean tls) implements Receiver {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Override
    public Optional<Refusal> send(Signal signal, String json) throws IOException {
        UnaryCall call = new UnaryCall("the collector", address, tls, signal.method(), PATIENCE);
        return call.send(Protobuf.of(signal, json)).map(status -> new Refusal(status.split(":", 2)[0], status));
    }

    @Override
    public String toString() {
        return (tls ? "grpcs://" : "grpc://") + address;
    }
}
