package io.weft.dataplane.route;

/** Where the parts of {@code host[:port]} are. */
final class Authority {
    private Authority() {}

    /** Index of the colon before the port; -1: no port. Looked for from the end, over digits only, so it costs next to nothing. */
    static int portStart(String authority) {
        int i = authority.length() - 1;
        while (i >= 0 && authority.charAt(i) >= '0' && authority.charAt(i) <= '9') {
            i--;
        }
        return i >= 0 && authority.charAt(i) == ':' ? i : -1;
    }

    /**
     * @param portStart as {@link #portStart} says it
     * @return the default when there is none, -1 when it is too large
     */
    static int port(String authority, int portStart, int defaultPort) {
        if (portStart < 0 || portStart == authority.length() - 1) {
            return defaultPort;
        }
        int port = 0;
        for (int i = portStart + 1; i < authority.length(); i++) {
            port = port * 10 + (authority.charAt(i) - '0');
            if (port > 65535) {
                return -1;
            }
        }
        return port;
    }
}
