package io.weft.instrumentation.jdkhttpserver;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The server's classes are package-private: its objects come and go as {@link Object}. */
final class Internals {
    private static final String PACKAGE = "sun.net.httpserver.";
    private static final String DISPATCHER = PACKAGE + "ServerImpl$DefaultExecutor";

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    /** As bound. */
    InetSocketAddress address(Object server) throws Throwable {
        return (InetSocketAddress) Members.ADDRESS.invokeExact(server);
    }

    /** It listens. */
    boolean isOpen(Object server) throws Throwable {
        return ((ServerSocketChannel) Members.LISTENING.invokeExact(server)).isOpen();
    }

    boolean https(Object server) throws Throwable {
        return (boolean) Members.HTTPS.invokeExact(server);
    }

    Executor executor(Object server) throws Throwable {
        return (Executor) Members.EXECUTOR.invokeExact(server);
    }

    /** Whether it runs its tasks on the thread that accepts connections and reads requests. */
    boolean isDispatcher(Executor executor) {
        return executor.getClass().getName().equals(DISPATCHER);
    }

    /** Ends the exchange with its connection. */
    void closeConnection(Object exchange) {
        try {
            Members.CLOSE_CONNECTION.invokeExact(server(exchange), connection(exchange));
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** The same, on the dispatcher's thread, before there is an exchange. */
    void closeConnection(Object dispatcher, Object connection) {
        try {
            Object server = (Object) Members.SERVER_OF_DISPATCHER.invokeExact(dispatcher);
            Members.CLOSE_CONNECTION.invokeExact(server, connection);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** As after a response: the selector looks at the connection once more. On the dispatcher's thread. */
    @SuppressWarnings("unchecked")
    void lookAgain(Object dispatcher, Object connection) throws Throwable {
        Object server = (Object) Members.SERVER_OF_DISPATCHER.invokeExact(dispatcher);
        Members.REQUEST_COMPLETED.invokeExact(server, connection);
        Members.RESPONSE_COMPLETED.invokeExact(server, connection);
        ((Collection<Object>) Members.TO_REGISTER.invokeExact(dispatcher)).add(connection);
    }

    /**
     * The same, on any thread but the dispatcher's. Waits until the dispatcher has let go of the connection.
     *
     * @throws IOException it is closed
     */
    void lookAgainFromOutside(Object dispatcher, Object connection) throws Throwable {
        Object server = (Object) Members.SERVER_OF_DISPATCHER.invokeExact(dispatcher);
        Selector selector = (Selector) Members.SELECTOR.invokeExact(server);
        SocketChannel socket = channel(connection);
        socket.configureBlocking(false);
        Members.REQUEST_COMPLETED.invokeExact(server, connection);
        Members.RESPONSE_COMPLETED.invokeExact(server, connection);
        // Before the selector may find it: the dispatcher then looks for it among the idle ones.
        Members.MARK_IDLE.invokeExact(server, connection);
        SelectionKey key = null;
        while (key == null) {
            try {
                key = socket.register(selector, SelectionKey.OP_READ, connection);
            } catch (CancelledKeyException lookedAt) {
                selector.wakeup();
                TimeUnit.MILLISECONDS.sleep(1);
            }
        }
        Members.SET_SELECTION_KEY.invokeExact(connection, key);
        selector.wakeup();
    }

    /** The socket itself; null before it is set. */
    SocketChannel channel(Object connection) {
        try {
            return (SocketChannel) Members.CHANNEL_OF_CONNECTION.invokeExact(connection);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    SocketChannel channelOfStream(Object stream) throws Throwable {
        return (SocketChannel) Members.CHANNEL_OF_STREAM.invokeExact(stream);
    }

    boolean isHttps(Object server) {
        try {
            return https(server);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** The server's own exchange behind the app's; null when it is not one of a plaintext server. */
    Object exchange(HttpExchange http) throws Throwable {
        return http.getClass() == Members.HTTP_EXCHANGE ? (Object) Members.EXCHANGE_OF_HTTP_EXCHANGE.invokeExact((Object) http) : null;
    }

    Object server(Object exchange) throws Throwable {
        return (Object) Members.SERVER_OF_EXCHANGE.invokeExact(exchange);
    }

    Object connection(Object exchange) throws Throwable {
        return (Object) Members.CONNECTION_OF_EXCHANGE.invokeExact(exchange);
    }

    String method(Object exchange) {
        return (String) Members.METHOD.get(exchange);
    }

    URI uri(Object exchange) {
        return (URI) Members.URI.get(exchange);
    }

    Headers requestHeaders(Object exchange) {
        return (Headers) Members.REQUEST_HEADERS.get(exchange);
    }

    /** What the app has from {@code getRequestHeaders} cannot be changed; it gets other ones in their place. */
    void changeRequestHeaders(Object exchange, Consumer<Headers> change) throws Throwable {
        Headers changed = new Headers();
        for (Map.Entry<String, List<String>> header : requestHeaders(exchange).entrySet()) {
            header.getValue().forEach(value -> changed.add(header.getKey(), value));
        }
        change.accept(changed);
        Members.REQUEST_HEADERS.set(exchange, (Headers) Members.UNMODIFIABLE.invokeExact(changed));
    }

    InetSocketAddress localAddress(Object exchange) {
        try {
            return (InetSocketAddress) Members.LOCAL_ADDRESS.invokeExact(exchange);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    InetSocketAddress remoteAddress(Object exchange) {
        try {
            return (InetSocketAddress) Members.REMOTE_ADDRESS.invokeExact(exchange);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    Headers responseHeaders(Object exchange) throws Throwable {
        return (Headers) Members.RESPONSE_HEADERS.invokeExact(exchange);
    }

    /** The connection ends with this response, whose head says so. JDK 17 does not look at the header itself. */
    void closeAfterResponse(Object exchange) throws Throwable {
        responseHeaders(exchange).set("Connection", "close");
        Members.SET_CLOSE.invokeExact(exchange, true);
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final MethodHandle ADDRESS;
        static final MethodHandle LISTENING;
        static final MethodHandle HTTPS;
        static final MethodHandle EXECUTOR;
        static final MethodHandle CLOSE_CONNECTION;
        static final MethodHandle REQUEST_COMPLETED;
        static final MethodHandle RESPONSE_COMPLETED;
        static final MethodHandle MARK_IDLE;
        static final MethodHandle SELECTOR;
        static final MethodHandle SET_SELECTION_KEY;
        static final MethodHandle SERVER_OF_DISPATCHER;
        static final MethodHandle TO_REGISTER;
        static final MethodHandle CHANNEL_OF_CONNECTION;
        static final MethodHandle CHANNEL_OF_STREAM;
        static final Class<?> HTTP_EXCHANGE;
        static final MethodHandle EXCHANGE_OF_HTTP_EXCHANGE;
        static final MethodHandle SERVER_OF_EXCHANGE;
        static final MethodHandle CONNECTION_OF_EXCHANGE;
        static final MethodHandle LOCAL_ADDRESS;
        static final MethodHandle REMOTE_ADDRESS;
        static final MethodHandle RESPONSE_HEADERS;
        static final MethodHandle SET_CLOSE;
        static final MethodHandle UNMODIFIABLE;
        static final VarHandle METHOD;
        static final VarHandle URI;
        static final VarHandle REQUEST_HEADERS;

        static {
            AdapterContext context = Internals.context;
            try {
                MethodHandles.Lookup server = context.lookup(PACKAGE + "ServerImpl");
                MethodHandles.Lookup exchange = context.lookup(PACKAGE + "ExchangeImpl");
                MethodHandles.Lookup connection = context.lookup(PACKAGE + "HttpConnection");
                MethodHandles.Lookup http = context.lookup(PACKAGE + "HttpExchangeImpl");
                MethodHandles.Lookup headers = context.lookup(PACKAGE + "UnmodifiableHeaders");
                HTTP_EXCHANGE = http.lookupClass();
                ADDRESS = server.findVirtual(server.lookupClass(), "getAddress", MethodType.methodType(InetSocketAddress.class))
                        .asType(MethodType.methodType(InetSocketAddress.class, Object.class));
                LISTENING = server.findGetter(server.lookupClass(), "schan", ServerSocketChannel.class)
                        .asType(MethodType.methodType(ServerSocketChannel.class, Object.class));
                HTTPS = server.findGetter(server.lookupClass(), "https", boolean.class)
                        .asType(MethodType.methodType(boolean.class, Object.class));
                EXECUTOR = server.findGetter(server.lookupClass(), "executor", Executor.class)
                        .asType(MethodType.methodType(Executor.class, Object.class));
                CLOSE_CONNECTION = server.findVirtual(
                                server.lookupClass(), "closeConnection", MethodType.methodType(void.class, connection.lookupClass()))
                        .asType(MethodType.methodType(void.class, Object.class, Object.class));
                MethodHandles.Lookup dispatcher = context.lookup(PACKAGE + "ServerImpl$Dispatcher");
                MethodHandles.Lookup stream = context.lookup(PACKAGE + "Request$ReadStream");
                MethodType ofConnection = MethodType.methodType(void.class, connection.lookupClass());
                MethodType anyOfConnection = MethodType.methodType(void.class, Object.class, Object.class);
                REQUEST_COMPLETED = server.findVirtual(server.lookupClass(), "requestCompleted", ofConnection).asType(anyOfConnection);
                RESPONSE_COMPLETED = server.findVirtual(server.lookupClass(), "responseCompleted", ofConnection).asType(anyOfConnection);
                MARK_IDLE = server.findVirtual(server.lookupClass(), "markIdle", ofConnection).asType(anyOfConnection);
                SELECTOR = server.findGetter(server.lookupClass(), "selector", Selector.class)
                        .asType(MethodType.methodType(Selector.class, Object.class));
                SET_SELECTION_KEY = connection.findSetter(connection.lookupClass(), "selectionKey", SelectionKey.class)
                        .asType(MethodType.methodType(void.class, Object.class, SelectionKey.class));
                SERVER_OF_DISPATCHER = dispatcher.findGetter(dispatcher.lookupClass(), "this$0", server.lookupClass())
                        .asType(MethodType.methodType(Object.class, Object.class));
                // A LinkedList in some JDKs, an ArrayList in others.
                TO_REGISTER = dispatcher.unreflectGetter(dispatcher.lookupClass().getDeclaredField("connsToRegister"))
                        .asType(MethodType.methodType(Collection.class, Object.class));
                CHANNEL_OF_CONNECTION = connection.findVirtual(
                                connection.lookupClass(), "getChannel", MethodType.methodType(SocketChannel.class))
                        .asType(MethodType.methodType(SocketChannel.class, Object.class));
                CHANNEL_OF_STREAM = stream.findGetter(stream.lookupClass(), "channel", SocketChannel.class)
                        .asType(MethodType.methodType(SocketChannel.class, Object.class));
                EXCHANGE_OF_HTTP_EXCHANGE = http.findGetter(http.lookupClass(), "impl", exchange.lookupClass())
                        .asType(MethodType.methodType(Object.class, Object.class));
                SERVER_OF_EXCHANGE = exchange.findGetter(exchange.lookupClass(), "server", server.lookupClass())
                        .asType(MethodType.methodType(Object.class, Object.class));
                CONNECTION_OF_EXCHANGE = exchange.findGetter(exchange.lookupClass(), "connection", connection.lookupClass())
                        .asType(MethodType.methodType(Object.class, Object.class));
                LOCAL_ADDRESS = exchange.findVirtual(
                                exchange.lookupClass(), "getLocalAddress", MethodType.methodType(InetSocketAddress.class))
                        .asType(MethodType.methodType(InetSocketAddress.class, Object.class));
                REMOTE_ADDRESS = exchange.findVirtual(
                                exchange.lookupClass(), "getRemoteAddress", MethodType.methodType(InetSocketAddress.class))
                        .asType(MethodType.methodType(InetSocketAddress.class, Object.class));
                RESPONSE_HEADERS = exchange.findVirtual(exchange.lookupClass(), "getResponseHeaders", MethodType.methodType(Headers.class))
                        .asType(MethodType.methodType(Headers.class, Object.class));
                SET_CLOSE = exchange.findSetter(exchange.lookupClass(), "close", boolean.class)
                        .asType(MethodType.methodType(void.class, Object.class, boolean.class));
                UNMODIFIABLE = headers.findConstructor(headers.lookupClass(), MethodType.methodType(void.class, Headers.class))
                        .asType(MethodType.methodType(Headers.class, Headers.class));
                METHOD = exchange.findVarHandle(exchange.lookupClass(), "method", String.class);
                URI = exchange.findVarHandle(exchange.lookupClass(), "uri", URI.class);
                REQUEST_HEADERS = exchange.findVarHandle(exchange.lookupClass(), "reqHdrs", Headers.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
