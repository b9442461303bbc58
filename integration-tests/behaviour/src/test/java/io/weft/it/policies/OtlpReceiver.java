package io.weft.it.policies;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.metrics.v1.MetricsServiceGrpc;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.Span;
import io.weft.it.harness.Identity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;

/** Takes spans and metrics as an OpenTelemetry collector does: OTLP by gRPC. */
final class OtlpReceiver implements AutoCloseable {
    private final List<ExportTraceServiceRequest> traces = new CopyOnWriteArrayList<>();
    private final List<ExportMetricsServiceRequest> metrics = new CopyOnWriteArrayList<>();
    private final Server server;

    OtlpReceiver() {
        this(plain -> plain);
    }

    /** By TLS. */
    OtlpReceiver(Identity identity) {
        this(plain -> plain.useTransportSecurity(identity.certificate().toFile(), identity.key().toFile()));
    }

    private OtlpReceiver(UnaryOperator<NettyServerBuilder> how) {
        try {
            server = how.apply(NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)))
                    .addService(new Traces()).addService(new Metrics()).directExecutor().build().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private final class Traces extends TraceServiceGrpc.TraceServiceImplBase {
        @Override
        public void export(ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> answer) {
            traces.add(request);
            answer.onNext(ExportTraceServiceResponse.getDefaultInstance());
            answer.onCompleted();
        }
    }

    private final class Metrics extends MetricsServiceGrpc.MetricsServiceImplBase {
        @Override
        public void export(ExportMetricsServiceRequest request, StreamObserver<ExportMetricsServiceResponse> answer) {
            metrics.add(request);
            answer.onNext(ExportMetricsServiceResponse.getDefaultInstance());
            answer.onCompleted();
        }
    }

    String address() {
        return "127.0.0.1:" + server.getPort();
    }

    int port() {
        return server.getPort();
    }

    /** So far. */
    List<Span> spans() {
        return traces.stream().flatMap(request -> request.getResourceSpansList().stream())
                .flatMap(resource -> resource.getScopeSpansList().stream()).flatMap(scope -> scope.getSpansList().stream()).toList();
    }

    /** So far. */
    List<Metric> metrics() {
        return metrics.stream().flatMap(request -> request.getResourceMetricsList().stream())
                .flatMap(resource -> resource.getScopeMetricsList().stream()).flatMap(scope -> scope.getMetricsList().stream()).toList();
    }

    /** Who has sent metrics last; metrics must have been sent. */
    Resource sender() {
        return metrics.get(metrics.size() - 1).getResourceMetrics(0).getResource();
    }

    static String text(List<KeyValue> attributes, String key) {
        return attributes.stream().filter(attribute -> attribute.getKey().equals(key)).map(attribute -> attribute.getValue().getStringValue())
                .findFirst().orElse("");
    }

    /** What comes from now on is all that counts. */
    void forget() {
        traces.clear();
        metrics.clear();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }
}
