package io.weft.policy.model;

/**
 * How the HTTP connection manager finds out whose address a request has: {@code use_remote_address} and
 * {@code xff_num_trusted_hops}.
 *
 * @param useRemoteAddress the peer's, or that of as many proxies before it as are trusted; otherwise the last that
 *     {@code x-forwarded-for} names, or one before it for each trusted proxy
 * @param trustedHops 0 or more
 */
public record ClientAddress(boolean useRemoteAddress, int trustedHops) {
    /** Of a connection manager that says nothing of it. */
    public static final ClientAddress DEFAULT = new ClientAddress(false, 0);
}
