package io.weft.instrumentation.httpurlconnection;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.LocalReply;
import io.weft.instrumentation.Interrupted;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.CookieHandler;
import java.net.NoRouteToHostException;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URL;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import sun.net.www.MessageHeader;
import sun.net.www.ParseUtil;
import sun.net.www.http.ChunkedInputStream;
import sun.net.www.http.HttpClient;
import sun.net.www.http.KeepAliveStream;
import sun.net.www.http.PosterOutputStream;
import sun.net.www.protocol.http.HttpURLConnection;

/**
 * A connection of the JDK's that leads to an endpoint of the mesh. {@link #url} stays the app's own, since the JDK files cookies under
 * it; {@link #host} and {@link #port} are the endpoint's. Both together are the key in the JDK's keep-alive cache.
 *
 * <p>For one thread at a time, as its superclass; but {@link #finished} and {@link #closeServer} may come from the JDK's threads.
 */
final class MeshHttpClient extends HttpClient {
    private static final long DISCONNECT_POLL_MS = 10;
    private static final int NO_STATUS = 0;

    private final Internals internals;
    private final Object credentialStore;
    private final boolean head;

    private final Carried exchange;

    /** In milliseconds; 0: none. Below 0: the JDK's default. */
    private final int appsConnectTimeout;

    private Endpoint endpoint;
    /** Below mesh TLS: what another thread may close, since closing TLS waits for whoever is writing. */
    private Socket rawSocket;
    /** Null: in plaintext. */
    private volatile ClientConnection secured;

    /** Not null: the mesh answers by itself. */
    private LocalReply reply;

    private MessageHeader written;
    private PosterOutputStream body;

    /** In {@link #response}, where the superclass opens and closes connections as it likes. */
    private volatile boolean attempting;

    private boolean awaitsContinue;

    /** The app disconnects. */
    private volatile boolean abandoned;

    private MeshHttpClient(Internals internals, HttpURLConnection connection, URL url, int connectTimeout, OutgoingRequest exchange) {
        this.internals = internals;
        this.credentialStore = internals.credentialStore(connection);
        this.head = connection.getRequestMethod().equals("HEAD");
        this.exchange = new Carried(exchange);
        internals.dropped.then(this, this.exchange);
        this.url = url;
        this.proxy = Proxy.NO_PROXY;
        this.appsConnectTimeout = connectTimeout;
    }

    /**
     * A connection for the next request, kept alive or new.
     *
     * @param reuse a connection that was kept alive will do
     * @throws IOException what the JDK throws when there is none
     */
    static MeshHttpClient open(
            Internals internals, HttpURLConnection connection, URL url, int connectTimeout, boolean reuse, OutgoingRequest exchange)
            throws IOException {
        try {
            while (next(exchange) == Step.DIAL) {
                exchange.begins();
                Endpoint endpoint = exchange.endpoint();
                MeshHttpClient kept = reuse ? kept(internals, connection, url, endpoint) : null;
                if (kept != null) {
                    kept.exchange.carry(exchange);
                    exchange.over(kept.rawSocket);
                    return kept;
                }
                MeshHttpClient fresh = new MeshHttpClient(internals, connection, url, connectTimeout, exchange);
                fresh.lead(endpoint);
                IOException failure = fresh.dial();
                if (failure == null) {
                    return fresh;
                }
                if (!exchange.onFailure(Failure.CONNECT)) {
                    throw failure;
                }
                pause(exchange.backoffNanos());
            }
            MeshHttpClient local = new MeshHttpClient(internals, connection, url, connectTimeout, exchange);
            local.answer(exchange.reply());
            return local;
        } catch (IOException | RuntimeException | Error e) {
            exchange.end();
            throw e;
        }
    }

    private static MeshHttpClient kept(Internals internals, HttpURLConnection connection, URL url, Endpoint endpoint)
            throws IOException {
        if (!(kac.get(url, endpoint) instanceof MeshHttpClient kept)) {
            return null;
        }
        boolean stale = connection.streaming() && connection.getRequestMethod().equals("POST") && !kept.available();
        kept.lock();
        try {
            kept.inCache = false;
            if (stale || !kept.isLeased() || !Objects.equals(kept.credentialStore, internals.credentialStore(connection))) {
                kept.closeServer();
                return null;
            }
            kept.cachedHttpClient = true;
            kept.url = url;
            if (kept.abandoned) {
                kept.abandoned = false;
            }
            return kept;
        } finally {
            kept.unlock();
        }
    }

    /** Policy may have taken it away meanwhile. */
    private boolean isLeased() {
        return secured == null || secured.lease();
    }

    private void lead(Endpoint endpoint) {
        this.endpoint = endpoint;
        this.host = endpoint.address().getAddress().getHostAddress();
        this.port = endpoint.address().getPort();
    }

    private IOException dial() {
        setConnectTimeout(appsConnectTimeout);
        try {
            openServer();
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    private void answer(LocalReply reply) throws IOException {
        this.reply = reply;
        openServer();
    }

    /** Also for the JDK's own second try on this connection. */
    @Override
    public void openServer(String server, int port) throws IOException {
        if (reply == null) {
            OutgoingRequest current = exchange.get();
            if (current == null) {
                super.openServer(server, port);
            } else {
                openServer(current, server, port);
            }
            return;
        }
        serverSocket = new CannedSocket(reply, head);
        serverOutput = new PrintStream(new BufferedOutputStream(serverSocket.getOutputStream()), false, encoding);
    }

    /**
     * The policy's limit for a connection is the exchange's to watch: a socket that is connected within a limit of its own never blocks
     * again, and then each read that waits costs two system calls more.
     */
    private void openServer(OutgoingRequest current, String server, int port) throws IOException {
        if (current.isEnded() || !current.connecting()) {
            throw new SocketException("Socket closed");
        }
        try {
            super.openServer(server, port);
        } catch (IOException e) {
            throw current.isEnded() ? late(e) : e;
        }
        if (!current.established()) {
            throw late(null);
        }
    }

    /** As the JDK says it where the limit is the app's. */
    private static IOException late(IOException cause) {
        SocketTimeoutException late = new SocketTimeoutException("Connect timed out");
        late.initCause(cause);
        return late;
    }

    /** Within the app's connect timeout, as what it waits for is a connection that can be used. */
    @Override
    protected Socket doConnect(String server, int port) throws IOException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(connectTimeout);
        Socket connected = super.doConnect(server, port);
        rawSocket = connected;
        secured = null;
        ClientTls tls = endpoint.tls();
        if (tls == null) {
            return connected;
        }
        Socket layered = tls.layer(connected, endpoint.address(), connectTimeout > 0 ? until - System.nanoTime() : ClientTls.UNLIMITED);
        secured = tls.connections().opened(this::closeServer);
        return layered;
    }

    @Override
    protected Socket createSocket() {
        Socket socket = new ObservedSocket(exchange);
        OutgoingRequest current = exchange.get();
        if (current != null) {
            current.over(socket);
        }
        return socket;
    }

    @Override
    public void writeRequests(MessageHeader head, PosterOutputStream poster, boolean streaming) throws IOException {
        written = head;
        body = poster;
        OutgoingRequest current = exchange.get();
        if (current != null) {
            current.written(head, poster);
        }
        if (current != null && !current.connected()) {
            // the response's head is what is waited for next: there it is found out why
            return;
        }
        super.writeRequests(wire(), poster, streaming);
    }

    private MessageHeader wire() {
        OutgoingRequest current = exchange.get();
        return current == null || reply != null ? written : JdkHeaders.wire(written, current.requestChanges());
    }

    /** Whether a response of this connection is the superclass's own business. */
    boolean passive() {
        return attempting || exchange.get() == null || reply != null;
    }

    /**
     * Reads the head of a response, of further attempts if need be. Not to be called while {@link #passive}.
     *
     * @return whether it is HTTP
     */
    boolean response(MessageHeader responses, Object progress, HttpURLConnection connection) throws IOException {
        OutgoingRequest current = exchange.get();
        attempting = true;
        if (!awaitsContinue) {
            current.requestSent();
        }
        if (!cachedHttpClient && current.mayBeTriedAgain()) {
            noSecondChance();
        }
        try {
            while (true) {
                boolean http = false;
                IOException failure = null;
                CookieHandler cookies = internals.takeCookieHandler(connection);
                try {
                    http = internals.parse(this, responses, progress, connection);
                } catch (IOException e) {
                    failure = e;
                } finally {
                    internals.cookieHandler(connection, cookies);
                }
                if (awaitsContinue && (failure instanceof SocketTimeoutException || status(responses) == 100)) {
                    // not the response yet
                    if (failure != null) {
                        throw failure;
                    }
                    return http;
                }
                int status = failure == null ? status(responses) : NO_STATUS;
                // The JDK gives the app what is no response as one whose status is -1, where others fail.
                boolean again = status == NO_STATUS
                        ? current.onFailure(classify(failure))
                        : current.onResponse(status, name -> header(responses, name));
                if (!again || abandoned) {
                    return deliver(current, responses, cookies, http, failure);
                }
                closeServer();
                responses.reset();
                pauseUnlessAbandoned(current);
                resend(current);
                if (reply != null) {
                    return internals.parse(this, responses, progress, connection);
                }
            }
        } finally {
            attempting = false;
            if (!serverIsOpen()) {
                end();
            }
        }
    }

    /** @param cookies the app's own, which is not told of a response that is dropped; null: there is none */
    private boolean deliver(OutgoingRequest current, MessageHeader responses, CookieHandler cookies, boolean http, IOException failure)
            throws IOException {
        if (failure != null) {
            throw failure;
        }
        new JdkHeaders(responses).changeResponse(current.responseChanges());
        if (http && cookies != null) {
            tell(cookies, responses);
        }
        boolean bounded = serverInput instanceof ChunkedInputStream || serverInput instanceof KeepAliveStream;
        current.delivers(bounded);
        if (!bounded) {
            serverInput = new EndOfBody(serverInput, this::end);
        }
        if (hasCome(responses)) {
            // read or not, the endpoint is done with it
            end();
        }
        return http;
    }

    private void tell(CookieHandler cookies, MessageHeader responses) throws IOException {
        URI uri = ParseUtil.toURI(url);
        if (uri == null) {
            return;
        }
        try {
            cookies.put(uri, responses.getHeaders());
        } catch (IOException | RuntimeException e) {
            closeServer();
            throw e;
        }
    }

    /** Whether all of the body is here, where that can be told. */
    private boolean hasCome(MessageHeader responses) {
        String length = responses.findValue("Content-Length");
        if (length == null || serverInput instanceof ChunkedInputStream) {
            return false;
        }
        try {
            long bytes = Long.parseLong(length);
            return ((ObservedSocket) rawSocket).buffered(serverInput) >= bytes || bytes > 0 && serverInput.available() >= bytes;
        } catch (NumberFormatException | IOException notForUsToJudge) {
            // who reads the body finds it out
            return false;
        }
    }

    /** By itself the superclass sends once more what fails on any connection: here policy says how often, but for one that was kept alive. */
    private void noSecondChance() {
        super.setDoNotRetry(true);
    }

    /** Leaves this connection open to another endpoint, with the request sent, or with the mesh's own answer. */
    private void resend(OutgoingRequest current) throws IOException {
        noSecondChance();
        while (nextUnlessAbandoned(current) == Step.DIAL) {
            current.begins();
            lead(current.endpoint());
            IOException failure = dial();
            if (failure == null && current.connected()) {
                super.writeRequests(wire(), body);
                return;
            }
            if (!current.onFailure(failure == null ? Failure.RESET : Failure.CONNECT) || abandoned) {
                throw failure == null ? new SocketException("Socket closed") : failure;
            }
            pauseUnlessAbandoned(current);
        }
        answer(current.reply());
        super.writeRequests(written, body);
    }

    private Step nextUnlessAbandoned(OutgoingRequest current) throws IOException {
        Step step = current.next();
        while (step == Step.WAIT) {
            pauseUnlessAbandoned(current);
            step = current.next();
        }
        return step;
    }

    /** @throws SocketException the app has disconnected, as the JDK says it of a request that is under way */
    private void pauseUnlessAbandoned(OutgoingRequest current) throws SocketException {
        long end = System.nanoTime() + current.backoffNanos();
        for (long left = current.backoffNanos(); left > 0 && !abandoned; left = end - System.nanoTime()) {
            pause(Math.min(left, TimeUnit.MILLISECONDS.toNanos(DISCONNECT_POLL_MS)));
        }
        if (abandoned) {
            closeServer();
            throw new SocketException("Socket closed");
        }
    }

    /** A filter may hold the request up before its first attempt. */
    private static Step next(Exchange exchange) {
        Step step = exchange.next();
        while (step == Step.WAIT) {
            pause(exchange.backoffNanos());
            step = exchange.next();
        }
        return step;
    }

    /** As the JDK reads it for the app. */
    private static int status(MessageHeader responses) {
        String line = responses.getValue(0);
        int space = line == null || !line.startsWith("HTTP/1.") ? -1 : line.indexOf(' ');
        if (space < 0) {
            return NO_STATUS;
        }
        int end = line.indexOf(' ', space + 1);
        try {
            int status = Integer.parseInt(line, space + 1, end < 0 ? line.length() : end, 10);
            return status >= 100 && status <= 999 ? status : NO_STATUS;
        } catch (NumberFormatException notHttp) {
            return NO_STATUS;
        }
    }

    private static String header(MessageHeader headers, String name) {
        var values = headers.multiValueIterator(name);
        if (!values.hasNext()) {
            return null;
        }
        String joined = values.next();
        while (values.hasNext()) {
            joined += "," + values.next();
        }
        return joined;
    }

    /** @param failure null: what has come is no response */
    private Failure classify(IOException failure) {
        if (abandoned || failure != null && Interrupted.hasClosed(failure)) {
            return Failure.CANCELLED;
        }
        if (failure instanceof ConnectException || failure instanceof NoRouteToHostException) {
            return Failure.CONNECT;
        }
        return failure instanceof SocketTimeoutException ? Failure.TIMEOUT : Failure.RESET;
    }

    /** Not interruptible, as nothing of this library is. */
    private static void pause(long nanos) {
        boolean interrupted = false;
        long end = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = end - System.nanoTime()) {
            try {
                TimeUnit.NANOSECONDS.sleep(left);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void setIgnoreContinue(boolean ignore) {
        awaitsContinue = !ignore;
        super.setIgnoreContinue(ignore);
    }

    @Override
    public void setDoNotRetry(boolean value) {
        abandoned = value;
        super.setDoNotRetry(value);
    }

    /** The body is over: the connection may go to another request at once. */
    @Override
    public void finished() {
        if (!reuse) {
            end();
        }
        super.finished();
    }

    @Override
    protected void putInKeepAliveCache() {
        if (reply != null) {
            return;
        }
        lock();
        try {
            if (secured != null && !inCache && !secured.giveBack()) {
                closeServer();
            } else if (!inCache) {
                inCache = true;
                kac.put(url, endpoint, this);
            }
        } finally {
            unlock();
        }
    }

    @Override
    public void closeIdleConnection() {
        if (reply == null && kac.get(url, endpoint) instanceof MeshHttpClient idle) {
            idle.closeServer();
        }
    }

    @Override
    public void closeServer() {
        super.closeServer();
        if (!attempting) {
            end();
        }
    }

    private void end() {
        exchange.run();
    }
}
