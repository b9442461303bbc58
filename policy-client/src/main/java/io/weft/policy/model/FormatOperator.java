package io.weft.policy.model;

/**
 * The command operators of Envoy 1.40 but two that are languages of their own ({@code CEL}, {@code COALESCE}), under their own
 * names: what their parentheses hold, and whether their value is ever known inside a JVM.
 */
public enum FormatOperator {
    // The messages.
    REQ(Syntax.HEADERS),
    RESP(Syntax.HEADERS),
    TRAILER(Syntax.HEADERS, Known.NEVER),
    PATH(Syntax.OPTIONAL_LIST),
    QUERY_PARAM(Syntax.NAME),
    QUERY_PARAMS(Syntax.OPTIONAL),
    PROTOCOL(Syntax.NOTHING),
    RESPONSE_CODE(Syntax.NOTHING),
    RESPONSE_CODE_DETAILS(Syntax.OPTIONAL),
    RESPONSE_FLAGS(Syntax.NOTHING),
    RESPONSE_FLAGS_LONG(Syntax.NOTHING),
    GRPC_STATUS(Syntax.OPTIONAL),
    GRPC_STATUS_NUMBER(Syntax.NOTHING),
    LOCAL_REPLY_BODY(Syntax.NOTHING),
    BYTES_RECEIVED(Syntax.NOTHING),
    BYTES_SENT(Syntax.NOTHING),
    CUSTOM_FLAGS(Syntax.NOTHING, Known.NEVER),
    REQUEST_HEADERS_BYTES(Syntax.NOTHING, Known.NEVER),
    RESPONSE_HEADERS_BYTES(Syntax.NOTHING, Known.NEVER),
    RESPONSE_TRAILERS_BYTES(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_WIRE_BYTES_RECEIVED(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_WIRE_BYTES_SENT(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_HEADER_BYTES_RECEIVED(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_HEADER_BYTES_SENT(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_WIRE_BYTES_RECEIVED(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_WIRE_BYTES_SENT(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_HEADER_BYTES_RECEIVED(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_HEADER_BYTES_SENT(Syntax.NOTHING, Known.NEVER),
    BYTES_RETRANSMITTED(Syntax.NOTHING, Known.NEVER),
    PACKETS_RETRANSMITTED(Syntax.NOTHING, Known.NEVER),

    // Time.
    START_TIME(Syntax.TIME),
    START_TIME_LOCAL(Syntax.TIME),
    EMIT_TIME(Syntax.TIME),
    EMIT_TIME_LOCAL(Syntax.TIME),
    DURATION(Syntax.NOTHING),
    RESPONSE_DURATION(Syntax.NOTHING),
    RESPONSE_TX_DURATION(Syntax.NOTHING),
    REQUEST_DURATION(Syntax.NOTHING, Known.NEVER),
    REQUEST_TX_DURATION(Syntax.NOTHING, Known.NEVER),
    ROUNDTRIP_DURATION(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_HANDSHAKE_DURATION(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_CONNECTION_POOL_READY_DURATION(Syntax.NOTHING, Known.NEVER),
    COMMON_DURATION(Syntax.DURATION, Known.NEVER),

    // What the policies made of the request.
    ROUTE_NAME(Syntax.NOTHING),
    UPSTREAM_CLUSTER(Syntax.NOTHING),
    UPSTREAM_CLUSTER_RAW(Syntax.NOTHING),
    UPSTREAM_HOST(Syntax.NOTHING),
    UPSTREAM_HOST_NAME(Syntax.NOTHING),
    UPSTREAM_HOST_NAME_WITHOUT_PORT(Syntax.NOTHING),
    UPSTREAM_REQUEST_ATTEMPT_COUNT(Syntax.NOTHING),
    UPSTREAM_HOSTS_ATTEMPTED(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_HOST_NAMES_ATTEMPTED(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_CONNECTION_IDS_ATTEMPTED(Syntax.NOTHING, Known.NEVER),
    FILTER_CHAIN_NAME(Syntax.NOTHING, Known.NEVER),
    LISTENER_NAME(Syntax.NOTHING, Known.NEVER),
    VIRTUAL_CLUSTER_NAME(Syntax.NOTHING, Known.NEVER),
    METADATA(Syntax.METADATA, Known.NEVER),
    DYNAMIC_METADATA(Syntax.LIST, Known.NEVER),
    CLUSTER_METADATA(Syntax.LIST, Known.NEVER),
    UPSTREAM_METADATA(Syntax.LIST, Known.NEVER),
    FILTER_STATE(Syntax.FILTER_STATE),
    UPSTREAM_FILTER_STATE(Syntax.FILTER_STATE, Known.NEVER),

    // The process and the stream.
    HOSTNAME(Syntax.NOTHING),
    ENVIRONMENT(Syntax.NAME),
    UNIQUE_ID(Syntax.NOTHING),
    STREAM_ID(Syntax.NOTHING),
    ACCESS_LOG_TYPE(Syntax.NOTHING),
    TRACE_ID(Syntax.NOTHING, Known.NEVER),
    SPAN_ID(Syntax.NOTHING, Known.NEVER),

    // The connections.
    DOWNSTREAM_REMOTE_ADDRESS(Syntax.NOTHING),
    DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(Syntax.NOTHING),
    DOWNSTREAM_REMOTE_PORT(Syntax.NOTHING),
    DOWNSTREAM_DIRECT_REMOTE_ADDRESS(Syntax.NOTHING),
    DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT(Syntax.NOTHING),
    DOWNSTREAM_DIRECT_REMOTE_PORT(Syntax.NOTHING),
    DOWNSTREAM_LOCAL_ADDRESS(Syntax.NOTHING),
    DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(Syntax.NOTHING),
    DOWNSTREAM_LOCAL_PORT(Syntax.NOTHING),
    DOWNSTREAM_DIRECT_LOCAL_ADDRESS(Syntax.NOTHING),
    DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT(Syntax.NOTHING),
    DOWNSTREAM_DIRECT_LOCAL_PORT(Syntax.NOTHING),
    DOWNSTREAM_PEER_URI_SAN(Syntax.NOTHING),
    UPSTREAM_REMOTE_ADDRESS(Syntax.NOTHING),
    UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(Syntax.NOTHING),
    UPSTREAM_REMOTE_PORT(Syntax.NOTHING),
    UPSTREAM_LOCAL_ADDRESS(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_LOCAL_PORT(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_PROTOCOL(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_CONNECTION_ID(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_TRANSPORT_FAILURE_REASON(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_LOCAL_CLOSE_REASON(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_DETECTED_CLOSE_TYPE(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_TLS_CIPHER(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_TLS_VERSION(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_TLS_SESSION_ID(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_PEER_ISSUER(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_PEER_CERT(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_PEER_SUBJECT(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_PEER_URI_SAN(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_PEER_DNS_SAN(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_PEER_IP_SAN(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_PEER_CERT_V_START(Syntax.TIME, Known.NEVER),
    UPSTREAM_PEER_CERT_V_END(Syntax.TIME, Known.NEVER),
    UPSTREAM_LOCAL_URI_SAN(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_LOCAL_DNS_SAN(Syntax.NOTHING, Known.NEVER),
    UPSTREAM_LOCAL_IP_SAN(Syntax.NOTHING, Known.NEVER),
    CONNECTION_ID(Syntax.NOTHING, Known.NEVER),
    CONNECTION_TERMINATION_DETAILS(Syntax.NOTHING, Known.NEVER),
    REQUESTED_SERVER_NAME(Syntax.OPTIONAL, Known.NEVER),
    DOWNSTREAM_TRANSPORT_FAILURE_REASON(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_LOCAL_CLOSE_REASON(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_DETECTED_CLOSE_TYPE(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_TLS_CIPHER(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_TLS_VERSION(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_TLS_SESSION_ID(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_DNS_SAN(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_IP_SAN(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_EMAIL_SAN(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_OTHERNAME_SAN(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_SUBJECT(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_ISSUER(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_SERIAL(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_FINGERPRINT_256(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_FINGERPRINT_1(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_CHAIN_SERIALS(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_CERT(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_PEER_CERT_V_START(Syntax.TIME, Known.NEVER),
    DOWNSTREAM_PEER_CERT_V_END(Syntax.TIME, Known.NEVER),
    DOWNSTREAM_LOCAL_URI_SAN(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_LOCAL_DNS_SAN(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_LOCAL_IP_SAN(Syntax.NOTHING, Known.NEVER),
    DOWNSTREAM_LOCAL_SUBJECT(Syntax.NOTHING, Known.NEVER),
    TLS_JA3_FINGERPRINT(Syntax.NOTHING, Known.NEVER),
    TLS_JA4_FINGERPRINT(Syntax.NOTHING, Known.NEVER);

    /** What an operator's parentheses hold. */
    public enum Syntax {
        /** Nothing; they may be left out, as in all that are optional. */
        NOTHING,
        /** {@code NAME} or {@code NAME?OTHER}: the other header when the first is not there. A length may follow. */
        HEADERS,
        /** One name. A length may follow. */
        NAME,
        OPTIONAL,
        /** Words with colons between them. A length may follow. */
        LIST,
        OPTIONAL_LIST,
        /** A list that begins with the kind of metadata. */
        METADATA,
        /** {@code KEY}, {@code KEY:PLAIN}, {@code KEY:TYPED} or {@code KEY:FIELD:NAME}. */
        FILTER_STATE,
        /** {@code START:END} or {@code START:END:PRECISION}. */
        DURATION,
        /** A {@link TimePattern}. */
        TIME;

        public boolean optional() {
            return this == NOTHING || this == OPTIONAL || this == OPTIONAL_LIST || this == TIME;
        }

        public boolean lengthAllowed() {
            return this != NOTHING && this != OPTIONAL && this != DURATION && this != TIME;
        }
    }

    private enum Known { SOMETIMES, NEVER }

    private final Syntax syntax;
    private final Known known;

    FormatOperator(Syntax syntax) {
        this(syntax, Known.SOMETIMES);
    }

    FormatOperator(Syntax syntax, Known known) {
        this.syntax = syntax;
        this.known = known;
    }

    public Syntax syntax() {
        return syntax;
    }

    /** False: it stands for nothing here, as in an Envoy that does not know the value. */
    public boolean known() {
        return known == Known.SOMETIMES;
    }
}
