package io.weft.instrumentation.helidon;

import static io.weft.instrumentation.helidon.Handles.getter;
import static io.weft.instrumentation.helidon.Handles.method;
import static io.weft.instrumentation.helidon.Handles.setter;

import io.helidon.http.ClientRequestHeaders;
import io.helidon.http.ClientResponseHeaders;
import io.helidon.http.Headers;
import io.helidon.http.http2.Http2ErrorCode;
import io.helidon.http.http2.Http2Exception;
import io.helidon.http.http2.Http2Headers;
import io.helidon.http.http2.Http2Stream;
import io.helidon.http.http2.Http2StreamState;
import io.helidon.webclient.api.ClientConnection;
import io.helidon.webclient.api.ClientUri;
import io.helidon.webclient.api.FullClientRequest;
import io.helidon.webclient.api.WebClientServiceRequest;
import io.helidon.webclient.api.WebClientServiceResponse;
import io.helidon.webclient.spi.WebClientService;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.IdleSockets;
import io.weft.instrumentation.MeshSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.function.Supplier;

/** Those of HTTP/2, from 4.5 on: before, who waits for a stream cannot be told that it is over. */
final class Http2CallChains implements Http2Calls {
    private static final String PACKAGE = "io.helidon.webclient.http2.";

    /** As the library says it of a stream that is closed while its response is waited for: by the peer, or by the mesh. */
    private static final Set<String> CLOSED = Set.of(
            "Stream closed while waiting for response headers",
            // from 4.5.1 on
            "No final response headers received");

    private static final Duration A_MOMENT = Duration.ofMillis(100);

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext members;

    private final AdapterContext context;
    private final Connections connections;
    /** The library's cache keeps each for as long as it is open. */
    private final IdleSockets idle = new IdleSockets(System::nanoTime);

    /** The connection that this thread has the library close. */
    private final ThreadLocal<Object> closing = new ThreadLocal<>();

    Http2CallChains(AdapterContext context, Connections connections) throws ReflectiveOperationException {
        this.context = context;
        this.connections = connections;
        members = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    @Override
    public Handler handler(String hook, Supplier<Attempt> current) {
        return switch (hook) {
            case HelidonClientModule.HTTP2_GONE -> (Handler.Result) (connection, is, a0, a1, a2) ->
                    (boolean) is || !(current.get() instanceof Http2Attempt attempt) || !attempt.isConnecting()
                            ? is
                            : !(socket(connection) instanceof MeshSocket kept && attempt.takes(kept));
            case HelidonClientModule.HTTP2_CLOSE -> (Handler.Around) (connection, a0, a1, a2, a3) -> closes(connection);
            case HelidonClientModule.HTTP2_HEADERS -> (Handler.Argument) (chain, headers, request, same, stream) ->
                    current.get() instanceof Http2Attempt attempt && attempt.isOf(chain) ? attempt.begin(stream, (ClientRequestHeaders) headers) : headers;
            case HelidonClientModule.HTTP2_ENTITY -> (Handler.Around) (chain, entity, a1, a2, a3) ->
                    current.get() instanceof Http2Attempt attempt && attempt.isOf(chain) ? attempt.exchange().entity() : Handler.PROCEED;
            case HelidonClientModule.HTTP2_HEAD -> (Handler.Result) (nobody, head, a0, a1, a2) ->
                    current.get() instanceof Http2Attempt attempt && !attempt.isConnecting() ? attempt.changed((Http2Headers) head) : head;
            default -> null;
        };
    }

    @Override
    public boolean isByPriorKnowledge(WebClientService.Chain chain) throws Throwable {
        return (boolean) Members.PRIOR_KNOWLEDGE.invokeExact((Object) connections.http2Request(chain));
    }

    @Override
    public OutgoingRequest request(WebClientService.Chain chain, WebClientServiceRequest request) throws Throwable {
        return new OutgoingRequest("HTTP/2", request, entity(chain) instanceof byte[] bytes ? bytes : null);
    }

    private static Object entity(WebClientService.Chain chain) throws Throwable {
        return Members.OF_ENTITY.isInstance(chain) ? (Object) Members.ENTITY.invokeExact((Object) chain) : null;
    }

    /** What is to be sent more than once is written once. */
    @Override
    public void begin(WebClientService.Chain chain, OutgoingRequest exchange) throws Throwable {
        Object entity = exchange.entity() == null ? entity(chain) : null;
        if (entity != null) {
            exchange.sends((byte[]) Members.ENTITY_BYTES.invokeExact((Object) chain, entity, exchange.request().headers()));
        }
    }

    @Override
    public Attempt attempt(WebClientService.Chain chain, OutgoingRequest exchange) {
        exchange.keepHost();
        return new Http2Attempt(context, connections, this, idle, chain, exchange);
    }

    @Override
    public boolean isDirect(WebClientService.Chain chain, ClientUri uri) throws Throwable {
        FullClientRequest<?> request = connections.http2Request(chain);
        return request.connection().isEmpty() && CallChains.isDirect(request.proxy(), uri);
    }

    /** One that ends before the peer has said what it takes is none. */
    @Override
    public Failure connectFailure(RuntimeException failure) {
        return failure instanceof UncheckedIOException || failure instanceof IllegalStateException ? Failure.CONNECT : Failure.CANCELLED;
    }

    @Override
    public Failure failure(WebClientService.Chain chain, RuntimeException failure) throws Throwable {
        Throwable cause = cause(failure);
        if (cause instanceof SocketTimeoutException) {
            return Failure.TIMEOUT;
        }
        if (failure instanceof Http2Exception http2) {
            return failure(http2);
        }
        if (failure instanceof IllegalStateException && failure.getMessage() != null && CLOSED.contains(failure.getMessage())) {
            return reset((Object) Members.STREAM.invokeExact((Object) chain));
        }
        // The rest is the app's, as what writes its body.
        return cause instanceof IOException ? Failure.RESET : Failure.CANCELLED;
    }

    /** Who has ended the stream wakes who waits for its head, and says why a moment later. */
    private static Failure reset(Object stream) throws Throwable {
        Object buffer = (Object) Members.BUFFER.invokeExact(stream);
        try {
            // Which does not wait the first time.
            Object ignored = (Object) Members.POLL.invokeExact(buffer, A_MOMENT);
            ignored = (Object) Members.POLL.invokeExact(buffer, A_MOMENT);
        } catch (Http2Exception why) {
            return failure(why);
        } catch (RuntimeException unsaid) {
            return Failure.RESET;
        }
        return Failure.RESET;
    }

    private static Failure failure(Http2Exception failure) {
        return failure.code() == Http2ErrorCode.REFUSED_STREAM ? Failure.REFUSED : Failure.RESET;
    }

    @Override
    public Throwable cause(Exception failure) {
        if (Members.TIMEOUT.isInstance(failure)) {
            return new SocketTimeoutException(failure.getMessage());
        }
        return failure instanceof UncheckedIOException io ? io.getCause() : failure;
    }

    /** The library says of a stream that was reset that it is over. */
    @Override
    public boolean isWhole(WebClientService.Chain chain) throws Throwable {
        Object stream = (Object) Members.STREAM.invokeExact((Object) chain);
        return (Object) Members.READ_STATE.invokeExact(stream) == Members.READ
                || ((Http2Stream) stream).streamState() != Http2StreamState.CLOSED;
    }

    @Override
    public void answeredOver(WebClientService.Chain chain, ClientConnection connection, WebClientServiceRequest request) throws Throwable {
        Members.SET_HEADERS.invokeExact((Object) chain, request.headers());
    }

    @Override
    @SuppressWarnings("unchecked")
    public CompletableFuture<WebClientServiceResponse> whenComplete(WebClientService.Chain chain) throws Throwable {
        return (CompletableFuture<WebClientServiceResponse>) (CompletableFuture<?>) Members.WHEN_COMPLETE.invokeExact((Object) chain);
    }

    @Override
    public ClientResponseHeaders headers(WebClientService.Chain chain, Headers headers) throws Throwable {
        return ClientResponseHeaders.create(headers);
    }

    Socket socketOfStream(Object stream) throws Throwable {
        return socket((Object) Members.CONNECTION_OF_STREAM.invokeExact(stream));
    }

    private Socket socket(Object connection) throws Throwable {
        return connections.socket(below(connection));
    }

    private static ClientConnection below(Object connection) throws Throwable {
        return (ClientConnection) Members.CONNECTION_BELOW.invokeExact(connection);
    }

    /**
     * However a connection ends, the library closes it: but it tells no stream, which would wait for its response until its time is over, and leaves the
     * socket open where it cannot say farewell.
     */
    private Object closes(Object connection) throws Throwable {
        if (closing.get() == connection || !(socket(connection) instanceof MeshSocket)) {
            return Handler.PROCEED;
        }
        closing.set(connection);
        try {
            Members.CLOSE_CONNECTION.invokeExact(connection);
        } catch (RuntimeException | Error thrown) {
            return new Handler.Thrown(thrown);
        } finally {
            closing.remove();
            // Before that it is looked for streams: one that begins after that cannot write.
            below(connection).closeResource();
            for (Object stream : streams(connection)) {
                lost(stream);
            }
        }
        return null;
    }

    private static List<Object> streams(Object connection) throws Throwable {
        Lock lock = ((ReadWriteLock) Members.STREAMS_LOCK.invokeExact(connection)).readLock();
        lock.lock();
        try {
            return List.copyOf(((Map<?, ?>) Members.STREAMS.invokeExact(connection)).values());
        } finally {
            lock.unlock();
        }
    }

    /** What has come as a whole is still to be read. */
    private static void lost(Object stream) throws Throwable {
        if ((boolean) Members.ENDED.invokeExact(stream) || (Object) Members.READ_STATE.invokeExact(stream) == Members.READ) {
            return;
        }
        RuntimeException why = new UncheckedIOException(new SocketException("the connection has ended before the response has"));
        // Closing the stream has it seen by whoever waits.
        Members.FAILURE.invokeExact(stream, why);
        close(stream, why);
    }

    private static void close(Object stream, RuntimeException why) throws Throwable {
        Object buffer = (Object) Members.BUFFER.invokeExact(stream);
        if (buffer != null) {
            Members.FAIL.invokeExact(buffer, why);
        }
        Members.CLOSE.invokeExact(stream);
    }

    /** As if the peer had: whoever waits for its head or reads its body sees it at once, and nothing is written. From any thread. */
    void breakOff(Object stream) {
        try {
            close(stream, new Http2Exception(Http2ErrorCode.CANCEL, "Reset of the stream: a time limit is over"));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** The peer is told, unless the stream is over. */
    void cancel(Object stream) {
        try {
            Members.CANCEL.invokeExact(stream);
            Members.CLOSE.invokeExact(stream);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final Class<?> OF_ENTITY;
        static final Class<?> TIMEOUT;
        static final MethodHandle ENTITY;
        static final MethodHandle ENTITY_BYTES;
        static final MethodHandle PRIOR_KNOWLEDGE;
        static final MethodHandle SET_HEADERS;
        static final MethodHandle WHEN_COMPLETE;
        static final MethodHandle STREAM;
        static final MethodHandle CONNECTION_OF_STREAM;
        static final MethodHandle CONNECTION_BELOW;
        static final MethodHandle CLOSE_CONNECTION;
        static final MethodHandle STREAMS;
        static final MethodHandle STREAMS_LOCK;
        static final MethodHandle READ_STATE;
        /** Of a stream that the peer has ended, and all of which was read. */
        static final Object READ;
        /** Of one whose end has come, but was not read yet. */
        static final MethodHandle ENDED;
        static final MethodHandle FAILURE;
        static final MethodHandle BUFFER;
        static final MethodHandle FAIL;
        static final MethodHandle POLL;
        static final MethodHandle CANCEL;
        static final MethodHandle CLOSE;

        static {
            AdapterContext context = members;
            try {
                Lookup entityChain = context.lookup(PACKAGE + "Http2CallEntityChain");
                Lookup chain = context.lookup(PACKAGE + "Http2CallChainBase");
                Lookup request = context.lookup(PACKAGE + "Http2ClientRequestImpl");
                Lookup connection = context.lookup(PACKAGE + "Http2ClientConnection");
                Lookup stream = context.lookup(PACKAGE + "Http2ClientStream");
                Lookup buffer = context.lookup(PACKAGE + "StreamBuffer");
                OF_ENTITY = entityChain.lookupClass();
                TIMEOUT = context.lookup(PACKAGE + "StreamTimeoutException").lookupClass();
                ENTITY = getter(entityChain, "entity", Object.class);
                ENTITY_BYTES = method(entityChain, "entityBytes", byte[].class, Object.class, ClientRequestHeaders.class);
                PRIOR_KNOWLEDGE = method(request, "priorKnowledge", boolean.class);
                SET_HEADERS = setter(chain, "requestHeaders", ClientRequestHeaders.class);
                WHEN_COMPLETE = getter(chain, "whenComplete", CompletableFuture.class);
                STREAM = getter(chain, "stream", stream);
                CONNECTION_OF_STREAM = getter(stream, "connection", connection);
                CONNECTION_BELOW = getter(connection, "connection", ClientConnection.class);
                CLOSE_CONNECTION = method(connection, "close", void.class);
                STREAMS = getter(connection, "streams", Map.class);
                STREAMS_LOCK = getter(connection, "streamsLock", ReadWriteLock.class);
                Lookup readState = context.lookup(PACKAGE + "Http2ClientStream$ReadState");
                READ_STATE = getter(stream, "readState", readState);
                READ = (Object) readState.findStaticGetter(readState.lookupClass(), "END", readState.lookupClass()).invoke();
                ENDED = getter(stream, "inboundEndQueued", boolean.class);
                FAILURE = setter(stream, "inboundFailure", RuntimeException.class);
                BUFFER = getter(stream, "buffer", buffer);
                FAIL = method(buffer, "fail", void.class, RuntimeException.class);
                POLL = method(buffer, "poll", context.lookup(PACKAGE + "StreamBuffer$InboundItem").lookupClass(), Duration.class)
                        .asType(MethodType.methodType(Object.class, Object.class, Duration.class));
                CANCEL = method(stream, "cancel", void.class);
                CLOSE = method(stream, "close", void.class);
            } catch (Throwable e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
