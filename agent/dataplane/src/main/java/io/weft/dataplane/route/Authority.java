package io.weft.dataplane.route;

/** Where the parts of {@code host[:port]} are. */
final class Authority {
    private Authority() {}

    /** Index of the colon before the port; -1: no port. The colons of an IPv6 address in brackets do not count. */
    static int portStart(String authority) {
        int colon = authority.lastIndexOf(':');
        return colon < 0 || authority.indexOf(']', colon) >= 0 ? -1 : colon;
    }

    /**
     * @param portStart as {@link #portStart} says it
     * @return the default when there is none, -1 when it is not a port number
     */
    static int port(String authority, int portStart, int defaultPort) {
        if (portStart < 0 || portStart == authority.length() - 1) {
            return defaultPort;
        }
        int port = 0;
        for (int i = portStart + 1; i < authority.length(); i++) {
            int digit = authority.charAt(i) - '0';
            if (digit < 0 || digit > 9 || port > 6553) {
                return -1;
            }
            port = port * 10 + digit;
        }
        return port <= 65535 ? port : -1;
    }
}
