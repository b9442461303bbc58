package io.weft.dataplane;

import java.io.Closeable;
import java.net.InetSocketAddress;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;

/** The server side of the mesh in this JVM. Thread-safe. */
public interface Inbound {

    /**
     * A server of the app listens; the instance is registered under this port from now on.
     *
     * @param library as in {@code tomcat}
     * @param tls the app's own TLS is on it
     * @return to close when the server stops listening, before it closes its socket; closing twice does nothing
     */
    Port opened(String library, InetSocketAddress address, boolean tls);

    /**
     * As {@link #opened}, for a server that listened before the agent came: what comes in was let in without a policy until now, and is not held
     * up for one, unless nothing may get in without it.
     */
    Port found(String library, InetSocketAddress address, boolean tls);

    /**
     * A connection was accepted, and nothing is read from it yet. Policy is asked by the number of the port, so it counts for one that is
     * not registered yet, or not any more, too.
     *
     * @param ownTls the app's own TLS is on it
     * @param close closes it, on any thread, however busy it is; not called before this method has returned
     * @return null: it is to be closed at once
     */
    InboundConnection accepted(InetSocketAddress local, InetSocketAddress remote, boolean ownTls, Runnable close);

    /**
     * A server of the app has a port where nothing can be secured and no request be looked at, and is about to serve. The control plane is
     * told of that as of one that takes no new clients. Waits until policy has said something of it, for as long as what comes in to
     * other ports would be held up.
     *
     * @param library the name of the instrumentation module
     * @return as {@link #opened} does
     * @throws UnsecurableException it must not serve
     */
    Port openedUnsecurable(String library, InetSocketAddress address) throws UnsecurableException;

    /** As {@link #openedUnsecurable}, for a server that served before the agent came: it goes on, and what comes in is asked about one by one. */
    Port foundUnsecurable(String library, InetSocketAddress address);

    /**
     * A server of the app has a port, too, over which the app is called in another protocol than HTTP, as AJP. The control plane is told of
     * that as of one that takes no new clients. It opens whatever policy says: what comes in is asked about one by one.
     *
     * @return as {@link #opened} does
     */
    Port openedBeside(String library, InetSocketAddress address);

    /**
     * Such a server has accepted a connection, or a request on one of which nobody was asked when it was accepted. Waits where what comes
     * in to other ports would be held up: there is nothing here that could be looked at later.
     *
     * @param ownTls the app's own TLS is on it
     * @param socket closed once policy would not let it in any longer and it had time to end; not kept for that. Null: each of its requests
     *     is asked about
     * @return false: it is to be closed at once
     */
    boolean admitsUnsecurable(InetSocketAddress local, InetSocketAddress remote, boolean ownTls, Closeable socket);

    /** For requests to a port that is not registered yet, or not any more. */
    Port unregistered(int port, boolean ownTls);

    interface Port extends AutoCloseable {
        /** Its number. */
        int port();

        /**
         * The server has a limited number of threads for requests.
         *
         * @param share of them that is busy, 0 to 1; asked once a second at most, on a thread of the agent's
         */
        void busyThreads(DoubleSupplier share);

        /**
         * The app may end the JVM while it serves a request.
         *
         * @param serves whether the calling thread serves a request of this server that is not over; asked by a thread that is ending the
         *     JVM, which no request pays for
         */
        void ownRequest(BooleanSupplier serves);

        /** A request came in. The adapter drives the exchange from now on; it serves no other request before its end. */
        void enter(InboundExchange exchange);

        /**
         * Where the server can tell the callers on its open connections that it is about to go.
         *
         * @param tell run once, a while after the instance is no longer registered, or never; must not block for long
         */
        void onDrain(Runnable tell);

        /** The instance is about to go. */
        boolean draining();

        @Override
        void close();
    }
}
