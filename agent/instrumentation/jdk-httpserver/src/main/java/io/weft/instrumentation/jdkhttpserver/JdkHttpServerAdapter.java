package io.weft.instrumentation.jdkhttpserver;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.transport.AcceptedSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicReference;

public final class JdkHttpServerAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final Admission admission;
    private final Accepting accepting;
    private final Map<Object, Inbound.Port> portOfServer = new ConcurrentHashMap<>(4);
    /** Servers that were told to stop: requests on their open connections are still looked at. Forgotten when another one starts. */
    private final Set<Object> stopped = ConcurrentHashMap.newKeySet();

    /** By connection; the entry lives as long as the connection, so that a request allocates nothing. */
    private final Map<Object, InFlight> inFlight = new ConcurrentHashMap<>();

    public JdkHttpServerAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        internals = new Internals(context);
        admission = new Admission(context, internals);
        accepting = new Accepting(context, internals, this::hasOwnTls);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case JdkHttpServerModule.STARTED -> before(this::started);
            case JdkHttpServerModule.ACCEPTED -> (Handler.Result) (connection, nothing, channel, a1, a2) -> {
                accepting.accepted(connection, (SocketChannel) channel);
                return nothing;
            };
            case JdkHttpServerModule.HANDLE -> (Handler.Around) (dispatcher, channel, connection, a2, a3) ->
                    accepting.handle(dispatcher, (SocketChannel) channel, connection);
            case JdkHttpServerModule.READS, JdkHttpServerModule.WRITES -> (Handler.Argument) (stream, channel, a0, a1, a2) ->
                    accepting.channel((SocketChannel) channel);
            case JdkHttpServerModule.AVAILABLE -> (Handler.Result) (stream, available, a0, a1, a2) ->
                    (int) available == 0 && internals.channelOfStream(stream) instanceof AcceptedSocketChannel mesh && mesh.bytes().hasInput()
                            ? 1 : available;
            case JdkHttpServerModule.EXCHANGE_STARTED -> (Handler.Result) (exchange, same, a0, a1, a2) -> {
                requestStarted(exchange);
                return same;
            };
            case JdkHttpServerModule.STOP -> before(this::stop);
            case JdkHttpServerModule.DO_FILTER -> (Handler.Around) (chain, exchange, a1, a2, a3) ->
                    doFilter((Filter.Chain) chain, (HttpExchange) exchange);
            case JdkHttpServerModule.RESPONSE_HEAD -> (Handler.Around) (exchange, status, length, a2, a3) -> {
                responseHead(exchange, (int) status, (long) length);
                return Handler.PROCEED;
            };
            case JdkHttpServerModule.RESPONSE_COMPLETED -> (Handler.Around) (server, connection, a1, a2, a3) -> {
                requestEnded(inFlight.get(connection));
                return Handler.PROCEED;
            };
            case JdkHttpServerModule.CONNECTION_CLOSE -> before(connection -> {
                requestEnded(inFlight.remove(connection));
                accepting.closed(connection);
            });
            default -> throw new IllegalArgumentException(hook);
        };
    }

    private boolean servesHere() {
        for (InFlight slot : inFlight.values()) {
            IncomingRequest request = slot.get();
            if (request != null && request.isServedHere()) {
                return true;
            }
        }
        return false;
    }

    /** Zero where its threads have no limit, or are not known. */
    private static double busyShare(Executor executor) {
        return executor instanceof ThreadPoolExecutor pool && pool.getMaximumPoolSize() < Integer.MAX_VALUE
                ? pool.getActiveCount() / (double) pool.getMaximumPoolSize()
                : 0;
    }

    /** Before it has a thread, so that no request is earlier. */
    private synchronized void started(Object server) throws Throwable {
        stopped.forEach(portOfServer::remove);
        stopped.clear();
        InetSocketAddress address = internals.address(server);
        if (address != null && !portOfServer.containsKey(server)) {
            register(server, context.inbound().opened("jdk-httpserver", address, internals.https(server)));
        }
    }

    private void register(Object server, Inbound.Port port) throws Throwable {
        Executor executor = internals.executor(server);
        if (executor != null) {
            port.busyThreads(() -> busyShare(executor));
        }
        port.ownRequest(this::servesHere);
        portOfServer.put(server, port);
    }

    /** One that was there before the agent is registered with its first request. */
    private synchronized Inbound.Port found(Object server) throws Throwable {
        Inbound.Port known = portOfServer.get(server);
        if (known == null && !stopped.contains(server) && internals.isOpen(server)) {
            known = context.inbound().found("jdk-httpserver", internals.address(server), internals.https(server));
            register(server, known);
        }
        return known;
    }

    private Inbound.Port port(Object server) throws Throwable {
        Inbound.Port port = portOfServer.get(server);
        if (port == null && context.late()) {
            port = found(server);
        }
        return port == null ? context.inbound().unregistered(internals.address(server).getPort(), internals.https(server)) : port;
    }

    private boolean hasOwnTls(int port) {
        for (Map.Entry<Object, Inbound.Port> entry : portOfServer.entrySet()) {
            if (entry.getValue().port() == port && internals.isHttps(entry.getKey())) {
                return true;
            }
        }
        return false;
    }

    private synchronized void stop(Object server) {
        stopped.add(server);
        Inbound.Port port = portOfServer.get(server);
        if (port != null) {
            port.close();
        }
    }

    private void requestStarted(Object exchange) throws Throwable {
        Object connection = internals.connection(exchange);
        InFlight slot = inFlight.get(connection);
        if (slot == null) {
            slot = new InFlight(internals, accepting.of(connection));
            inFlight.put(connection, slot);
        }
        slot.entered = false;
        Inbound.Port port = port(internals.server(exchange));
        slot.request.renew(exchange);
        port.enter(slot.request);
        slot.setRelease(slot.request);
        slot.entered = true;
    }

    private static void requestEnded(InFlight slot) {
        IncomingRequest request = slot == null ? null : slot.getAndSet(null);
        if (request != null) {
            request.end();
        }
    }

    private Object doFilter(Filter.Chain chain, HttpExchange http) throws Throwable {
        Object exchange = internals.exchange(http);
        InFlight slot = exchange == null ? null : inFlight.get(internals.connection(exchange));
        if (slot != null && !slot.entered) {
            // Without the agent's word the app would be called.
            return new Handler.Thrown(new IOException("the request cannot be decided"));
        }
        IncomingRequest request = slot == null ? null : slot.get();
        if (request != null) {
            request.servedHere();
        }
        if (request == null || !request.claimed() || !request.isUndecided()) {
            return Handler.PROCEED;
        }
        return admission.doFilter(chain, exchange, http, request, () -> slot.get() == request);
    }

    private void responseHead(Object exchange, int status, long length) throws Throwable {
        IncomingRequest request = inFlight(exchange);
        if (request != null && !request.method().equals("HEAD")) {
            request.announcesLength(length);
        }
        if (request != null && request.isAnsweredByApp()) {
            HeaderView headers = new HeaderView(internals.responseHeaders(exchange));
            request.onResponse(status, headers);
            ResponseChanges changes = request.responseChanges();
            if (!changes.isEmpty()) {
                headers.changeResponse(changes);
            }
        }
        if (request != null && request.draining()) {
            internals.closeAfterResponse(exchange);
        }
    }

    private IncomingRequest inFlight(Object exchange) throws Throwable {
        InFlight slot = inFlight.get(internals.connection(exchange));
        return slot == null ? null : slot.get();
    }

    /** The request that is in flight on a connection; empty between two. */
    private static final class InFlight extends AtomicReference<IncomingRequest> {
        private final transient IncomingRequest request;
        /** Nothing went wrong when the request came. For the thread of the exchange, which is also that of its filters. */
        private transient boolean entered;

        InFlight(Internals internals, InboundConnection accepted) {
            request = new IncomingRequest(internals, accepted);
        }
    }

    @FunctionalInterface
    private interface Observer {
        void observe(Object self) throws Throwable;
    }

    private static Handler before(Observer observer) {
        return (Handler.Around) (self, a0, a1, a2, a3) -> {
            observer.observe(self);
            return Handler.PROCEED;
        };
    }
}
