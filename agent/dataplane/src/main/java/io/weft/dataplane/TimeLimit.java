package io.weft.dataplane;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.format.ResponseFlag;

/** What may be over for a request. The names are those of Envoy's fields. */
enum TimeLimit {
    /** {@code RouteAction.timeout}: all attempts together, from the end of the request to the end of the response. */
    TIMEOUT(Failure.REQUEST_TIMEOUT, "upstream request timeout", ResponseFlag.UT, "response_timeout"),
    /** {@code RetryPolicy.per_try_timeout}: from the attempt's connection, and the end of the request, to the response head. */
    PER_TRY_TIMEOUT(Failure.ATTEMPT_TIMEOUT, "upstream request timeout", ResponseFlag.UT, "upstream_per_try_timeout"),
    /** {@code RetryPolicy.per_try_idle_timeout}: nothing comes from the endpoint. */
    PER_TRY_IDLE_TIMEOUT(Failure.ATTEMPT_TIMEOUT, "upstream request timeout", ResponseFlag.UT, "upstream_per_try_idle_timeout"),
    /** {@code RouteAction.idle_timeout} or {@code stream_idle_timeout}: nothing goes in either direction. */
    IDLE_TIMEOUT(Failure.CANCELLED, "stream timeout", ResponseFlag.SI, "stream_idle_timeout"),
    /** {@code RouteAction.max_stream_duration}: all attempts together, from their beginning to the end of the response. */
    MAX_STREAM_DURATION(Failure.CANCELLED, "downstream duration timeout", ResponseFlag.DT, "max_duration_timeout"),
    /** {@code max_stream_duration} of a cluster: one attempt to the end of its response. */
    UPSTREAM_MAX_STREAM_DURATION(
            Failure.MAX_DURATION, "upstream max stream duration reached", ResponseFlag.UMSDR, "upstream_max_stream_duration_reached"),
    /** {@code connect_timeout} of a cluster. The app gets the library's own exception, as for any connection that there is not. */
    CONNECT_TIMEOUT(Failure.CONNECT, ResponseFlag.UF, "upstream_reset_before_response_started{connection_timeout}");

    private final Failure failure;
    private final LocalReply reply;
    private final LocalReply replyBeforeRequest;
    private final ResponseFlag flag;
    private final String details;

    TimeLimit(Failure failure, String text, ResponseFlag flag, String details) {
        this.failure = failure;
        this.flag = flag;
        this.details = details;
        reply = LocalReply.of(504, text);
        replyBeforeRequest = LocalReply.of(408, text);
    }

    TimeLimit(Failure failure, ResponseFlag flag, String details) {
        this.failure = failure;
        this.flag = flag;
        this.details = details;
        reply = null;
        replyBeforeRequest = null;
    }

    /** Says that it is why there is no response. */
    void flag(HttpStream stream) {
        stream.flag(flag, details);
    }

    /** What its end is to the attempt. */
    Failure failure() {
        return failure;
    }

    /**
     * The answer in place of a response; null: there is none, the failure stands.
     *
     * @param requestSent whether all of the request had come
     */
    LocalReply reply(boolean requestSent) {
        return requestSent || isTimeout() ? reply : replyBeforeRequest;
    }

    /** Whether it is one of a single attempt that another may follow. */
    boolean isPerTry() {
        return failure == Failure.ATTEMPT_TIMEOUT;
    }

    /** Whether it is the endpoint that took too long to answer. */
    boolean isTimeout() {
        return failure == Failure.REQUEST_TIMEOUT || failure == Failure.ATTEMPT_TIMEOUT;
    }
}
