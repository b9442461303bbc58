package io.weft.dataplane;

/** How long a body is, as a head says. */
public final class ContentLength {
    private static final int NO_CONTENT = 204;
    private static final int NOT_MODIFIED = 304;

    private ContentLength() {}

    /**
     * @param header its value; null: there is none
     * @return -1: it says nothing that is a length
     */
    public static long of(String header) {
        if (header == null || header.isEmpty()) {
            return -1;
        }
        long bytes = 0;
        for (int i = 0; i < header.length(); i++) {
            int digit = header.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            if (bytes > Long.MAX_VALUE / 10 - 1) {
                return Long.MAX_VALUE;
            }
            bytes = bytes * 10 + digit;
        }
        return bytes;
    }

    /** Of the body that follows a response's head; -1: it does not say. */
    static long ofResponse(RequestHead request, int status, Headers response) {
        if (status == NO_CONTENT || status == NOT_MODIFIED || request.method().equals("HEAD")) {
            return 0;
        }
        return of(response.header("content-length"));
    }
}
