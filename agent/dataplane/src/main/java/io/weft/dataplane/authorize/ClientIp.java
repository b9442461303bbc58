package io.weft.dataplane.authorize;

import io.weft.dataplane.Connection;
import io.weft.dataplane.IpAddress;
import io.weft.dataplane.RequestHead;

/**
 * Whose address a request has: the peer's, or what the proxies in front of it say in {@code x-forwarded-for}, as Envoy's HTTP
 * connection manager decides it by {@code use_remote_address} and {@code xff_num_trusted_hops}. Immutable.
 */
public final class ClientIp {
    /** Of a connection manager that says nothing of it: the last in the header, else the peer. */
    public static final ClientIp DEFAULT = new ClientIp(false, 0);

    /** From the right, -1: the header is not looked at. */
    private final int hop;

    /** @param trustedHops 0 or more */
    public ClientIp(boolean useRemoteAddress, int trustedHops) {
        hop = useRemoteAddress ? trustedHops - 1 : trustedHops;
    }

    /** @param request null: only the connection is known */
    IpAddress of(RequestHead request, Connection connection) {
        String forwardedFor = hop < 0 || request == null ? null : request.header("x-forwarded-for");
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
