package io.weft.instrumentation.grpc;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.Compressor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.DecompressorRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.internal.ClientStream;
import io.grpc.internal.ClientStreamListener;
import io.grpc.internal.ClientStreamListener.RpcProgress;
import io.grpc.internal.ConnectionClientTransport;
import io.grpc.internal.InsightBuilder;
import io.grpc.internal.StreamListener.MessageProducer;
import io.weft.dataplane.Demand;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.RequestChanges;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A stream of the app's in the mesh: as many attempts as it takes, one after the other.
 *
 * <p>The first attempt at a call with one message begins when the app has sent all of it, which is at once; so it is known then how long
 * it is and whether it can be sent again. At a call with several it begins with the stream.
 *
 * <p>Whoever calls, whatever it changes is changed in {@link #turns}; they are kept short, since other threads' tasks run in them, too.
 */
final class MeshStream implements ClientStream {
    /** To an attempt of which nobody hears any more. */
    private static final Status DROPPED = Status.CANCELLED.withDescription("another attempt follows");

    /** To the app, where the mesh has no answer of its own. */
    private static final Status LATE = Status.UNAVAILABLE.withDescription("upstream request timeout");

    private final MeshChannel channel;
    private final OutgoingCall exchange;
    private final MethodDescriptor<?, ?> method;
    private final Metadata headers;
    private final CallOptions options;
    private final boolean sendsOneMessage;

    /** The call's, which its credentials may ask. */
    private final Context context = Context.current();

    private final SynchronizationContext turns;
    private final Executor hearing;

    /** Written before the stream starts, read after: what each attempt is to know. */
    private final List<Consumer<ClientStream>> settings = new ArrayList<>(6);

    // The rest is in turns.

    private ClientStreamListener listener;

    /** Of the first attempt; null: taken. */
    private ClientStreamTracer[] tracers;

    private final Outbox outbox = new Outbox();
    private boolean halfClosed;
    private int requested;
    private final Demand demand = new Demand(0);
    private boolean begun;
    private int attempts;

    /** What came is the app's: nothing follows. */
    private boolean delivered;

    /** Null: the app waits. */
    private Status cancelled;

    private boolean done;
    private ScheduledFuture<?> pause;

    /** Under way; null: none. Read by any thread. */
    private volatile Attempt attempt;

    /** Where the app's messages go; null: nowhere yet. Read by any thread. */
    private volatile ClientStream current;

    /** Of the last attempt, also when that is over; null: it has none, or the next is to come. Read by any thread. */
    private volatile ClientStream last;

    private volatile boolean takesMessage;

    MeshStream(
            MeshChannel channel,
            OutgoingCall exchange,
            MethodDescriptor<?, ?> method,
            Metadata headers,
            CallOptions options,
            ClientStreamTracer[] tracers) {
        this.channel = channel;
        this.exchange = exchange;
        this.method = method;
        this.headers = headers;
        this.options = options;
        this.tracers = tracers;
        sendsOneMessage = method.getType().clientSendsOneMessage();
        takesMessage = sendsOneMessage;
        turns = new SynchronizationContext((thread, fault) -> fault(fault));
        hearing = channel.hearingIn(turns);
        exchange.drivenBy(this);
    }

    SynchronizationContext turns() {
        return turns;
    }

    /** A transport says something of an attempt. */
    void hear(Runnable said) {
        hearing.execute(said);
    }

    // For the exchange.

    boolean isHalfClosed() {
        return halfClosed;
    }

    boolean canReplay() {
        return outbox.isWhole();
    }

    long bodyLength() {
        // Of one that goes on, what there is so far is what would be sent again.
        return (halfClosed || attempts > 0) && outbox.isWhole() ? outbox.bytes() : -1;
    }

    byte[] copy(int maxBytes) {
        return halfClosed && outbox.isWhole() ? outbox.framed(maxBytes) : null;
    }

    /** On the timer thread, which must not run what waits for the attempt. */
    void abort() {
        Attempt aborted = attempt;
        if (aborted != null) {
            channel.scheduler().execute(() -> turns.execute(() -> aborted(aborted)));
        }
    }

    // What the library says before the start, on one thread.

    @Override
    public void setAuthority(String authority) {
        settings.add(stream -> stream.setAuthority(authority));
    }

    @Override
    public void setFullStreamDecompression(boolean fullStreamDecompression) {
        settings.add(stream -> stream.setFullStreamDecompression(fullStreamDecompression));
    }

    @Override
    public void setDecompressorRegistry(DecompressorRegistry registry) {
        settings.add(stream -> stream.setDecompressorRegistry(registry));
    }

    @Override
    public void setMaxInboundMessageSize(int maxSize) {
        settings.add(stream -> stream.setMaxInboundMessageSize(maxSize));
    }

    @Override
    public void setMaxOutboundMessageSize(int maxSize) {
        settings.add(stream -> stream.setMaxOutboundMessageSize(maxSize));
    }

    @Override
    public void setDeadline(Deadline deadline) {
        exchange.deadline(deadline);
        settings.add(stream -> stream.setDeadline(deadline));
    }

    @Override
    public void setCompressor(Compressor compressor) {
        settings.add(stream -> stream.setCompressor(compressor));
    }

    @Override
    public void optimizeForDirectExecutor() {
        settings.add(ClientStream::optimizeForDirectExecutor);
    }

    // What the app does.

    @Override
    public void start(ClientStreamListener listener) {
        channel.streamBegins();
        turns.execute(() -> {
            this.listener = listener;
            if (!sendsOneMessage) {
                begin();
            }
        });
    }

    @Override
    public void writeMessage(InputStream message) {
        takesMessage = false;
        turns.execute(() -> add(new Message(message)));
    }

    @Override
    public void setMessageCompression(boolean enable) {
        turns.execute(() -> add(enable));
    }

    private void add(Object part) {
        if (done) {
            if (part instanceof Message message) {
                message.close();
            }
            return;
        }
        try {
            outbox.add(part, current);
        } catch (RuntimeException appsOwn) {
            giveUp(failedToSend(appsOwn));
            return;
        }
        if (current != null) {
            exchange.bytesSent();
        }
    }

    /** As the library has it where a message cannot be sent. */
    private static Status failedToSend(RuntimeException failure) {
        return Status.CANCELLED.withCause(failure).withDescription("Failed to stream message");
    }

    @Override
    public void flush() {
        turns.execute(() -> {
            if (current != null) {
                current.flush();
            }
        });
    }

    @Override
    public void halfClose() {
        turns.execute(() -> {
            halfClosed = true;
            if (done) {
                return;
            }
            if (!begun) {
                begin();
            } else if (current != null) {
                current.halfClose();
                exchange.requestSent();
            }
        });
    }

    @Override
    public void request(int messages) {
        turns.execute(() -> {
            requested += messages;
            demand.asks(exchange, messages);
            if (current != null) {
                current.request(messages);
            }
        });
    }

    @Override
    public void cancel(Status reason) {
        turns.execute(() -> giveUp(reason));
    }

    @Override
    public boolean isReady() {
        ClientStream stream = current;
        return stream == null ? takesMessage : stream.isReady();
    }

    @Override
    public Attributes getAttributes() {
        ClientStream stream = last;
        return stream == null ? Attributes.EMPTY : stream.getAttributes();
    }

    @Override
    public void appendTimeoutInsight(InsightBuilder insight) {
        ClientStream stream = current;
        if (stream == null) {
            insight.append("waiting_for_connection");
        } else {
            stream.appendTimeoutInsight(insight);
        }
    }

    // What becomes of it.

    private void begin() {
        begun = true;
        if (cancelled == null) {
            next();
        }
    }

    private void next() {
        last = null;
        switch (exchange.next()) {
            case WAIT -> pause();
            case REPLY -> {
                Answer answer = Answer.of(exchange.reply());
                end(answer.status(), RpcProgress.PROCESSED, answer.trailers());
            }
            case DIAL -> dial();
        }
    }

    private void pause() {
        long nanos = exchange.backoffNanos();
        if (nanos <= 0) {
            next();
            return;
        }
        pause = channel.scheduler().schedule(
                () -> turns.execute(() -> {
                    if (!done) {
                        next();
                    }
                }),
                nanos,
                TimeUnit.NANOSECONDS);
    }

    private void dial() {
        EndpointTransport endpoint = channel.to(exchange.endpoint());
        Attempt next = new Attempt(this, endpoint);
        attempts++;
        attempt = next;
        ConnectionClientTransport transport = endpoint.lease();
        if (transport != null) {
            connected(next, transport);
        } else if (exchange.connecting()) {
            next.await(exchange.connectTimeoutNanos());
        } else {
            failed(Failure.CONNECT, Attempt.CONNECT_TIMEOUT, RpcProgress.PROCESSED, new Metadata());
        }
    }

    void connected(Attempt connected, ConnectionClientTransport transport) {
        if (connected != attempt) {
            return;
        }
        if (!exchange.connected()) {
            failed(Failure.RESET, LATE, RpcProgress.PROCESSED, new Metadata());
            return;
        }
        ClientStream stream = open(transport, exchange.requestChanges());
        connected.began(stream);
        stream.start(connected);
        if (requested > 0) {
            stream.request(requested);
        }
        outbox.keepsWithin(exchange.mayBeTriedAgain() ? exchange.resendLimit() : -1);
        last = stream;
        current = stream;
        try {
            outbox.sendAll(stream);
        } catch (RuntimeException appsOwn) {
            giveUp(failedToSend(appsOwn));
            return;
        }
        if (halfClosed) {
            stream.halfClose();
            exchange.requestSent();
        } else {
            stream.flush();
        }
    }

    private ClientStream open(ConnectionClientTransport transport, RequestChanges changes) {
        MethodDescriptor<?, ?> wireMethod = changes.path() == null
                ? method
                : method.toBuilder().setFullMethodName(changes.path().substring(1)).build();
        Metadata wireHeaders = headers;
        if (attempts > 1 || !changes.equals(RequestChanges.NONE)) {
            wireHeaders = MetadataHeaders.copy(headers);
            new MetadataHeaders(wireHeaders).change(changes);
        }
        ClientStreamTracer[] ofAttempt = tracers();
        Context before = context.attach();
        ClientStream stream;
        try {
            stream = transport.newStream(wireMethod, wireHeaders, options, ofAttempt);
        } finally {
            context.detach(before);
        }
        for (Consumer<ClientStream> setting : settings) {
            setting.accept(stream);
        }
        if (changes.authority() != null) {
            stream.setAuthority(changes.authority());
        }
        return stream;
    }

    private ClientStreamTracer[] tracers() {
        ClientStreamTracer[] first = tracers;
        if (first != null) {
            tracers = null;
            return first;
        }
        try {
            return channel.internals().tracers(options, headers, attempts - 1);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void unreachable(Attempt failed, Status status) {
        if (failed == attempt) {
            failed(Failure.CONNECT, status, RpcProgress.PROCESSED, new Metadata());
        }
    }

    void ready(Attempt ready) {
        if (ready == attempt) {
            listener.onReady();
        }
    }

    void headersRead(Attempt answered, Metadata received) {
        if (answered != attempt) {
            return;
        }
        if (exchange.onResponse(200, MetadataHeaders.view(received)::header) && cancelled == null) {
            drop(answered);
            pause();
            return;
        }
        delivered = true;
        outbox.keepsWithin(-1);
        new MetadataHeaders(received).changeResponse(exchange.responseChanges());
        demand.tells(exchange, 0);
        listener.headersRead(received);
        demand.told(exchange);
    }

    void messagesAvailable(Attempt answered, MessageProducer producer) {
        if (answered == attempt) {
            exchange.bytesReceived();
            demand.tells(exchange, 1);
            listener.messagesAvailable(producer);
            demand.told(exchange);
            return;
        }
        try {
            for (InputStream message = producer.next(); message != null; message = producer.next()) {
                message.close();
            }
        } catch (IOException | RuntimeException unread) {
            // Of an attempt that is over: nobody waits for it.
            return;
        }
    }

    void closed(Attempt closed, Status status, RpcProgress progress, Metadata trailers) {
        if (closed != attempt) {
            return;
        }
        if (delivered) {
            end(status, progress, trailers);
            return;
        }
        if (cancelled != null) {
            exchange.onFailure(isPatienceOver() ? Failure.TIMEOUT : Failure.CANCELLED);
            end(status, progress, trailers);
            return;
        }
        Answer answer = Answer.ofPeer(status, trailers);
        if (answer == null) {
            failed(classify(status, progress), status, progress, trailers);
        } else if (exchange.onResponse(answer.httpStatus(), answer.headers()::header)) {
            over();
            pause();
        } else {
            new MetadataHeaders(trailers).changeResponse(exchange.responseChanges());
            end(status, progress, trailers);
        }
    }

    private static Failure classify(Status status, RpcProgress progress) {
        if (progress != RpcProgress.PROCESSED) {
            return Failure.REFUSED;
        }
        // The app's own credentials for the call: nothing was sent.
        return status.getCode() == Status.Code.UNAUTHENTICATED ? Failure.CANCELLED : Failure.RESET;
    }

    private boolean isPatienceOver() {
        return cancelled.getCode() == Status.Code.DEADLINE_EXCEEDED;
    }

    private void failed(Failure failure, Status status, RpcProgress progress, Metadata trailers) {
        over();
        exchange.endsWith(status.getCode().value());
        if (exchange.onFailure(failure)) {
            pause();
        } else {
            end(status, progress, trailers);
        }
    }

    /** A time limit of the policy's is over. */
    private void aborted(Attempt aborted) {
        if (aborted != attempt || done) {
            return;
        }
        boolean connecting = aborted.stream() == null;
        drop(aborted);
        if (delivered) {
            exchange.onFailure(Failure.RESET);
            end(LATE, RpcProgress.PROCESSED, new Metadata());
        } else {
            failed(
                    connecting ? Failure.CONNECT : Failure.RESET,
                    connecting ? Attempt.CONNECT_TIMEOUT : LATE,
                    RpcProgress.PROCESSED,
                    new Metadata());
        }
    }

    /** What comes of it is not heard any more. */
    private void drop(Attempt dropped) {
        ClientStream stream = dropped.stream();
        over();
        if (stream == null) {
            dropped.leave(exchange.isConnectionLate());
        } else {
            stream.cancel(DROPPED);
        }
    }

    private void over() {
        attempt = null;
        current = null;
    }

    private void giveUp(Status reason) {
        if (done || cancelled != null) {
            return;
        }
        cancelled = reason;
        Attempt underWay = attempt;
        if (underWay != null && underWay.stream() != null) {
            // The library says in its own way how it ended.
            underWay.stream().cancel(reason);
            return;
        }
        if (underWay != null) {
            underWay.leave(false);
            over();
            exchange.onFailure(isPatienceOver() ? Failure.TIMEOUT : Failure.CANCELLED);
        }
        end(reason, RpcProgress.PROCESSED, new Metadata());
    }

    private void end(Status status, RpcProgress progress, Metadata trailers) {
        if (done) {
            return;
        }
        done = true;
        over();
        if (pause != null) {
            pause.cancel(false);
        }
        outbox.close();
        exchange.endsWith(status.getCode().value());
        exchange.end();
        if (tracers != null) {
            for (ClientStreamTracer tracer : tracers) {
                tracer.streamClosed(status);
            }
            tracers = null;
        }
        channel.streamEnded();
        listener.closed(status, progress, trailers);
    }

    /** Of the agent's, in turns. The call fails, since what has gone out cannot go out again past the mesh. */
    private void fault(Throwable fault) {
        channel.fault("a call", fault);
        Attempt underWay = attempt;
        if (underWay != null && underWay.stream() != null) {
            underWay.stream().cancel(Status.CANCELLED.withCause(fault));
        }
        if (listener != null) {
            end(Status.UNAVAILABLE.withDescription("the mesh could not carry the call: " + fault).withCause(fault),
                    RpcProgress.PROCESSED, new Metadata());
        }
    }
}
