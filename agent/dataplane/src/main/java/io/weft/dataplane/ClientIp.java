package io.weft.dataplane;

import io.weft.policy.model.ClientAddress;

/**
 * Whose address a request has: the peer's, or what the proxies in front of it say in {@code x-forwarded-for}, as Envoy's HTTP
 * connection manager decides it by {@code use_remote_address} and {@code xff_num_trusted_hops}. Immutable.
 */
public final class ClientIp {
    static final ClientIp DEFAULT = new ClientIp(ClientAddress.DEFAULT);

    /** From the right, -1: the header is not looked at. */
    private final int hop;

    public ClientIp(ClientAddress address) {
        hop = address.useRemoteAddress() ? address.trustedHops() - 1 : address.trustedHops();
    }

    public IpAddress of(RequestHead request, Connection connection) {
        String forwardedFor = hop < 0 ? null : request.header("x-forwarded-for");
        if (forwardedFor == null) {
            return connection.remoteIp();
        }
        int end = forwardedFor.length();
        for (int i = 0; i < hop; i++) {
            end = forwardedFor.lastIndexOf(',', end - 1);
            if (end < 0) {
                return connection.remoteIp();
            }
        }
        String entry = forwardedFor.substring(forwardedFor.lastIndexOf(',', end - 1) + 1, end).strip();
        IpAddress address = IpAddress.parse(entry);
        return address == null ? connection.remoteIp() : address;
    }
}
