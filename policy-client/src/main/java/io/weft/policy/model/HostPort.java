package io.weft.policy.model;

/**
 * An address as a control plane writes it, not resolved.
 *
 * @param host an IP literal or a host name
 * @param port 0 to 65535
 */
public record HostPort(String host, int port) {
    // Not the record's own, which are linked at run time: too dear for what is hashed in the first moments of a process.
    @Override
    public boolean equals(Object other) {
        return other instanceof HostPort that && port == that.port && host.equals(that.host);
    }

    @Override
    public int hashCode() {
        return 31 * host.hashCode() + port;
    }

    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
