package io.weft.dataplane;

/** What Envoy makes of how a gRPC call ended. */
public final class Grpc {
    private static final int[] HTTP_STATUS = {
        200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
    };

    static final int DEADLINE_EXCEEDED = 4;

    private Grpc() {}

    /** The HTTP status that means what the {@code grpc-status} means; 500 for one that is unknown. */
    static int httpStatus(String grpcStatus) {
        int length = grpcStatus.length();
        int code = 0;
        for (int i = 0; i < length; i++) {
            char c = grpcStatus.charAt(i);
            if (c < '0' || c > '9' || length > 2) {
                return 500;
            }
            code = code * 10 + c - '0';
        }
        return length == 0 ? 500 : httpStatus(code);
    }

    /** @param grpcStatus 0 or more */
    public static int httpStatus(int grpcStatus) {
        return grpcStatus >= HTTP_STATUS.length ? 500 : HTTP_STATUS[grpcStatus];
    }
}
