package io.weft.policy.model;

/**
 * One HTTP filter's configuration, a record for each filter that is supported. The same record stands for the filter in an HTTP
 * connection manager and for what a route puts in its place ({@code typed_per_filter_config}), whatever message Envoy has for that.
 */
public sealed interface HttpFilter {

    /**
     * {@code envoy.extensions.filters.http.buffer.v3.Buffer}.
     *
     * @param maxRequestBytes of a request's body, above zero
     */
    record Buffer(long maxRequestBytes) implements HttpFilter {}
}
