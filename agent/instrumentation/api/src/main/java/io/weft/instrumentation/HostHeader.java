package io.weft.instrumentation;

/** What {@code Host} is in a request to a plaintext URL, by RFC 9110, section 7.2. */
public final class HostHeader {
    private static final int HTTP = 80;

    private HostHeader() {}

    /**
     * @param host an address of IPv6 with or without its brackets
     * @param port left out where it is the scheme's, or not above zero
     */
    public static String of(String host, int port) {
        String name = host.indexOf(':') < 0 || host.startsWith("[") ? host : '[' + host + ']';
        return port == HTTP || port <= 0 ? name : name + ':' + port;
    }
}
