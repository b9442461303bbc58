package io.weft.dataplane;

/** The client side of the mesh in this JVM. Thread-safe. */
public interface Outbound {

    /**
     * Whether a policy names the destination. If so, the exchange is bound to the policy in force now, whatever is pushed
     * later. Before the first policy is there it waits for it, at most until the start-up grace is over, once in the life of
     * the process.
     *
     * <p>What it throws is a fault of the agent, or of the adapter's view: {@link Exchange#mayFailOpen} says what is to become of the request.
     */
    boolean claims(Exchange exchange);

    /**
     * Whether a policy names that host, whatever becomes of a request to it: for libraries that get ready before there is one. Waits as
     * {@link #claims} does. Does not throw.
     *
     * @param authority {@code host[:port]}
     */
    boolean names(String authority);

    /**
     * Whether policy may want a request to that host secured, for adapters that know no more of it yet. Does not wait, nor throw.
     *
     * @param authority {@code host[:port]}
     */
    boolean mayBeSecured(String authority);

    /**
     * Whether policy keeps the app from calling a destination that is outside of the mesh. An adapter asks before it leaves a request
     * to its library. Waits as {@link #claims} does, but not for TLS, which is never routed, unless a policy is required. Does not throw.
     *
     * @param tls whether the app speaks TLS to it
     * @param host a name or an address, an IPv6 address in brackets or without
     * @param port negative: that of the scheme
     */
    boolean refuses(boolean tls, String host, int port);

    /**
     * Address-level decision for a connection that no exchange stands for, such as a redirect that the library follows by itself.
     *
     * @return null when no policy names the destination or nobody serves it
     */
    Endpoint pick(String scheme, String authority, String method, String path);
}
