package io.weft.dataplane.metrics;

import io.weft.dataplane.Grpc;
import io.weft.dataplane.format.ResponseFlag;

/**
 * What became of requests, as far as they are counted apart. On the request path it is a number, for which nothing is allocated.
 *
 * @param code of HTTP as a proxy would have answered; 0: nobody got an answer
 * @param grpcStatus -1: none, or it is not known
 * @param flags the bits of {@link ResponseFlag}
 * @param secured over mesh TLS
 * @param byMesh the mesh answered in place of whom the request was for
 * @param overflow all those for which there was no room left; the rest means nothing then
 */
public record Outcome(int code, boolean grpc, int grpcStatus, int flags, boolean secured, boolean byMesh, boolean overflow) {
    private static final int CODE = 30;
    private static final int STATUS = CODE + 10;
    private static final int STATUSES = 0x1f;
    private static final int GRPC = STATUS + 5;
    private static final int SECURED = GRPC + 1;
    static final long OVERFLOW = 1L << SECURED + 1;
    private static final int BY_MESH = SECURED + 2;

    /** The same as a number. A code or status that is none is taken for not known. */
    static long pack(int code, boolean grpc, int grpcStatus, int flags, boolean secured, boolean byMesh) {
        long known = code < 0 || code > 999 ? 0 : code;
        long status = grpcStatus < 0 || grpcStatus >= STATUSES ? STATUSES : grpcStatus;
        return flags | known << CODE | status << STATUS | (grpc ? 1L << GRPC : 0) | (secured ? 1L << SECURED : 0)
                | (byMesh ? 1L << BY_MESH : 0);
    }

    static Outcome of(long packed) {
        int status = (int) (packed >> STATUS) & STATUSES;
        return new Outcome(
                (int) (packed >> CODE) & 0x3ff,
                (packed >> GRPC & 1) != 0,
                status == STATUSES ? -1 : status,
                (int) packed & (1 << CODE) - 1,
                (packed >> SECURED & 1) != 0,
                (packed >> BY_MESH & 1) != 0,
                packed == OVERFLOW);
    }

    /** Somebody would not serve it: 401, 403 and 429, and what gRPC has for these. */
    public boolean refused() {
        return !overflow && (code == 401 || code == 403 || code == 429 || grpc && isRefusal(grpcStatus));
    }

    private static boolean isRefusal(int grpcStatus) {
        return switch (grpcStatus) {
            case 7, 8, 16 -> true; // PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAUTHENTICATED
            default -> false;
        };
    }

    /** The caller's mistake, and no refusal. */
    public boolean clientError() {
        return !overflow && !refused() && meaning() >= 400 && meaning() < 500;
    }

    /** As a status of HTTP. */
    private int meaning() {
        return grpc && code == 200 && grpcStatus >= 0 ? Grpc.httpStatus(grpcStatus) : code;
    }

    /** By its gRPC status, which came after a head that was good. */
    public boolean failedCall() {
        return !overflow && code == 200 && meaning() >= 500;
    }

    boolean has(ResponseFlag flag) {
        return (flags & flag.bit()) != 0;
    }

    /** As Envoy writes them: the short names with commas between, or {@code -}. */
    public String flagNames() {
        return ResponseFlag.names(flags, false);
    }
}
