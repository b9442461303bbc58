package io.weft.policy.xds;

/**
 * How a call ended. Failures that gRPC has no word for (no connection, no TLS, no HTTP/2) are given the code that a gRPC
 * client would report.
 */
record GrpcStatus(Code code, String message) {

    /** In the order of their numbers on the wire. */
    enum Code {
        OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED,
        RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS,
        UNAUTHENTICATED;

        private static final Code[] BY_NUMBER = values();

        static Code of(int number) {
            return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : UNKNOWN;
        }
    }

    /** For a response that is not gRPC's, as in gRPC's "HTTP to gRPC Status Code Mapping". */
    static GrpcStatus ofHttp(int httpStatus, String message) {
        Code code = switch (httpStatus) {
            case 400 -> Code.INTERNAL;
            case 401 -> Code.UNAUTHENTICATED;
            case 403 -> Code.PERMISSION_DENIED;
            case 404 -> Code.UNIMPLEMENTED;
            case 429, 502, 503, 504 -> Code.UNAVAILABLE;
            default -> Code.UNKNOWN;
        };
        return new GrpcStatus(code, message);
    }

    /** For RST_STREAM, as in gRPC's "HTTP2 Transport Mapping: Errors". */
    static GrpcStatus ofReset(long http2Error) {
        Code code = switch ((int) http2Error) {
            case 0x7 -> Code.UNAVAILABLE;
            case 0x8 -> Code.CANCELLED;
            case 0xb -> Code.RESOURCE_EXHAUSTED;
            case 0xc -> Code.PERMISSION_DENIED;
            default -> Code.INTERNAL;
        };
        return new GrpcStatus(code, "the other side reset the stream, HTTP/2 error code " + http2Error);
    }

    static GrpcStatus unavailable(String message) {
        return new GrpcStatus(Code.UNAVAILABLE, message);
    }

    static GrpcStatus internal(String message) {
        return new GrpcStatus(Code.INTERNAL, message);
    }

    @Override
    public String toString() {
        return message.isEmpty() ? code.name() : code + ": " + message;
    }
}
