package io.weft.dataplane.format;

import io.weft.dataplane.Headers;
import io.weft.dataplane.RequestHead;

/** The gRPC status of a response, as far as its head tells. */
final class GrpcStatus {
    private static final String[] CAMEL = {
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied",
        "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable",
        "DataLoss", "Unauthenticated"
    };
    private static final String[] SNAKE = {
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"
    };

    private GrpcStatus() {}

    /**
     * @param style as in {@code %GRPC_STATUS(style)%}
     * @return null when it is not gRPC or not in the head
     */
    static String of(RequestHead request, Headers response, String style) {
        String code = response == null || !request.isGrpc() ? null : response.header("grpc-status");
        if (code == null || style.equals("NUMBER")) {
            return code;
        }
        String[] names = style.equals("SNAKE_STRING") ? SNAKE : CAMEL;
        for (int i = 0; i < names.length; i++) {
            if (code.equals(Integer.toString(i))) {
                return names[i];
            }
        }
        return code;
    }
}
