package io.weft.policy.xds;

/** What came is not gRPC. */
final class GrpcFramingException extends RuntimeException {
    GrpcFramingException(String message) {
        super(message);
    }
}
