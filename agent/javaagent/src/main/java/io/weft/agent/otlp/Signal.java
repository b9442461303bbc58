package io.weft.agent.otlp;

/** What is told by OTLP. */
public enum Signal {
    TRACES("spans", "/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"),
    METRICS("metrics", "/v1/metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");

    private final String what;
    private final String path;
    private final String method;

    Signal(String what, String path, String method) {
        this.what = what;
        this.path = path;
        this.method = method;
    }

    /** For people. */
    String what() {
        return what;
    }

    /** Over HTTP. */
    public String path() {
        return path;
    }

    /** By gRPC. */
    String method() {
        return method;
    }
}
