package io.weft.policy.model;

/**
 * An address as a control plane writes it, not resolved.
 *
 * @param host an IP literal or a host name
 * @param port 0 to 65535
 */
public record HostPort(String host, int port) {
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
