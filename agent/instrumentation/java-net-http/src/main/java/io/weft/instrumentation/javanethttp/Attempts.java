package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.HedgedAttempt;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.ResponseChanges;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The attempts at one hop. The first one goes through the JDK's own exchange when nothing is changed on the wire; each other one
 * through a new exchange in the same {@code MultiExchange}, as the JDK itself does for a redirect. So the app's timeouts, its
 * cancellation and its interrupts reach whatever attempt is under way.
 *
 * <p>Thread rule: one attempt after the other, each in the thread that completed the one before; after a pause in the executor of the
 * app's client. A hedged request has several of these at once, in a {@link Contest}.
 */
final class Attempts {
    /** Of an earlier attempt on the same request: the JDK computes them for each connection. */
    private static final Set<String> OF_THE_CONNECTION =
            Set.of("connection", "upgrade", "http2-settings", "host", "content-length", "transfer-encoding", "expect");

    private static final long PATIENCE_FOR_DROPPED_MILLIS = 50;

    private final AdapterContext context;
    private final Internals internals;
    private final Dialing dialing;
    private final Exchange mesh;
    private final HttpRequest request;
    private final Object first;
    private final Object multi;
    /** Null: there is no other attempt at the same time. Written before the first attempt is sent. */
    private Contest contest;

    /** The JDK's exchange of the latest attempt. Read by another thread only where {@link #live} or the contest says that it is there. */
    private Object current;

    /** The same of the attempt itself. */
    private UnderWay underWay;

    /** To be run when the request is over. Written with its outcome. */
    private BodyEnd end;

    /** The outcome does not count, and the mesh has nothing more to do with it. */
    private volatile boolean retired;

    /** The same while there is something to end: for the timer thread, which reads it under the exchange's own rules. */
    private volatile Object live;

    private boolean fresh = true;

    Attempts(AdapterContext context, Internals internals, Dialing dialing, OutgoingRequest mesh, Object exchange) {
        this.context = context;
        this.internals = internals;
        this.dialing = dialing;
        this.mesh = mesh;
        this.first = exchange;
        this.current = exchange;
        this.request = (HttpRequest) internals.request(exchange);
        this.multi = internals.multi(exchange);
        mesh.drivenBy(this);
    }

    /** A further one beside others. */
    private Attempts(Attempts original, HedgedAttempt mesh) {
        context = original.context;
        internals = original.internals;
        dialing = original.dialing;
        this.mesh = mesh;
        first = original.first;
        current = original.first;
        request = original.request;
        multi = original.multi;
        contest = original.contest;
        fresh = false;
        mesh.abortBy(this::abort);
    }

    /** @return of the JDK's {@code Response} */
    CompletableFuture<Object> start() throws Throwable {
        try {
            CompletableFuture<Object> attempt = attempt();
            if (contest == null) {
                return attempt;
            }
            contest.follow(attempt);
            return contest.outcome();
        } catch (Throwable fault) {
            mesh.end();
            throw fault;
        }
    }

    /** On the timer thread, which must not send anything. */
    void hedge(HedgedAttempt further) {
        elsewhere(() -> begin(further));
    }

    private void begin(HedgedAttempt further) {
        Attempts attempts = new Attempts(this, further);
        try {
            if (!contest.join(attempts, further)) {
                further.end();
                return;
            }
            internals.resetConnectTimeout(multi);
            contest.follow(attempts.attempt());
        } catch (Throwable fault) {
            context.warn("java-net-http: a second attempt could not begin: " + fault);
            if (!further.abandon()) {
                contest.fail(fault);
            }
        }
    }

    private CompletableFuture<Object> attempt() throws Throwable {
        if (contest != null && mesh.isOutdone()) {
            return outdone();
        }
        return switch (mesh.next()) {
            case REPLY -> mesh.isOutdone() || !settle(null) ? outdone() : reply(original().reply());
            case WAIT -> again();
            case DIAL -> dial(mesh.endpoint(), mesh.requestChanges());
        };
    }

    private CompletableFuture<Object> dial(Endpoint endpoint, RequestChanges changes) throws Throwable {
        if (mesh.isHedged() && contest == null) {
            contest = new Contest(this);
        }
        // Of several at once none is the app's own: that stays for the one that counts.
        if (!fresh || !changes.equals(RequestChanges.NONE) || contest != null) {
            use(internals.newExchange(wireRequest(changes), multi));
        }
        fresh = false;
        underWay = new UnderWay(mesh, endpoint);
        live = current;
        if (contest != null && mesh.isOutdone()) {
            // Decided since it was asked for: whoever ended the others may not have seen it under way.
            retire();
            return Contest.nothing();
        }
        CompletableFuture<Object> response;
        dialing.begin(internals.request(current), current, endpoint, underWay);
        try {
            response = internals.send(current);
        } finally {
            dialing.end();
        }
        // As by handle and thenCompose, with less to allocate, and what failed is not wrapped.
        CompletableFuture<Object> outcome = new CompletableFuture<>();
        CompletableFuture<Object> ignored = response.whenComplete((head, failure) -> {
            try {
                tell(outcome, decide(head, failure));
            } catch (Throwable fault) {
                // Nobody else would tell the app.
                outcome.completeExceptionally(fault);
            }
        });
        return outcome;
    }

    private static void tell(CompletableFuture<Object> outcome, CompletableFuture<Object> decided) {
        if (decided.isDone() && !decided.isCompletedExceptionally()) {
            outcome.complete(decided.join());
            return;
        }
        CompletableFuture<Object> ignored = decided.whenComplete((response, failure) -> {
            if (failure == null) {
                outcome.complete(response);
            } else {
                outcome.completeExceptionally(failure);
            }
        });
    }

    private void use(Object exchange) throws Throwable {
        current = exchange;
        if (contest == null || contest.stands(this)) {
            internals.setExchange(multi, exchange);
        }
    }

    /** From now on the app's cancellation is for this attempt, which ends the others. */
    void stand() throws Throwable {
        internals.setExchange(multi, current);
    }

    private Object wireRequest(RequestChanges changes) throws Throwable {
        WireRequest changed;
        try {
            changed = new WireRequest(request, changes);
        } catch (IllegalArgumentException e) {
            context.warn("java-net-http: the rewrite of a route is left out: " + e.getMessage());
            changed = new WireRequest(request, new RequestChanges(null, null, changes.set(), changes.add(), changes.remove()));
        }
        Object wire = internals.newRequest(changed);
        Map<String, List<String>> sent = internals.systemHeaders(wire);
        for (Map.Entry<String, List<String>> header : internals.systemHeaders(internals.request(first)).entrySet()) {
            String name = header.getKey();
            if (!sent.containsKey(name) && !contains(OF_THE_CONNECTION, name) && !contains(changes.remove(), name)) {
                for (String value : header.getValue()) {
                    internals.addSystemHeader(wire, name, value);
                }
            }
        }
        if (request.headers().firstValue("authorization").isPresent()) {
            internals.appAuthorizes(internals.request(first));
        }
        return wire;
    }

    private static boolean contains(Iterable<String> lowerCase, String name) {
        for (String candidate : lowerCase) {
            if (candidate.equalsIgnoreCase(name)) {
                return true;
            }
        }
        return false;
    }

    /** On the timer thread, which must not run what waits for the attempt. */
    void abort() {
        Object exchange = live;
        if (exchange == null) {
            // not dialled yet: it will be told before it sends
            return;
        }
        IOException cause = underWay.ended();
        elsewhere(() -> cancel(exchange, cause));
    }

    private void elsewhere(Runnable task) {
        Thread timers = Thread.currentThread();
        try {
            internals.executor(multi).execute(() -> {
                // An executor of the app's may well run what it is given at once.
                if (Thread.currentThread() == timers) {
                    ForkJoinPool.commonPool().execute(task);
                } else {
                    task.run();
                }
            });
        } catch (Throwable appsExecutorIsGone) {
            ForkJoinPool.commonPool().execute(task);
        }
    }

    /** Another attempt's outcome counts. Returns when the mesh has nothing more to do with this one. */
    void retire() {
        UnderWay attempt = live == null ? null : underWay;
        if (attempt != null && attempt.over()) {
            mesh.onFailure(Failure.CANCELLED);
            mesh.end();
            retired = true;
            cancel(current, attempt.ended());
            return;
        }
        // Its own thread is at it. The original never waits for a turn of its own while there are others.
        while (this == contest.original() && !retired) {
            Thread.onSpinWait();
        }
    }

    private CompletableFuture<Object> outdone() throws Throwable {
        mesh.end();
        retired = true;
        contest.leave(this);
        return Contest.nothing();
    }

    private void cancel(Object exchange, IOException cause) {
        try {
            internals.cancelExchange(exchange, cause);
        } catch (Throwable fault) {
            context.warn("java-net-http: an attempt could not be ended: " + fault);
        }
    }

    private CompletableFuture<Object> decide(Object response, Throwable failure) {
        try {
            if (!underWay.over()) {
                return Contest.nothing();
            }
            if (internals.bodyIgnored(current) == underWay) {
                internals.bodyIgnored(current, null);
            }
            return failure == null ? answered(response) : failed(failure);
        } catch (Throwable fault) {
            mesh.end();
            retired = true;
            context.warn("java-net-http: a response was passed on without the mesh: " + fault);
            return failure == null ? CompletableFuture.completedFuture(response) : CompletableFuture.failedFuture(failure);
        }
    }

    private CompletableFuture<Object> answered(Object response) throws Throwable {
        HttpHeaders headers = internals.headers(response);
        if (!mesh.onResponse(internals.statusCode(response), JdkHeaders.view(headers)) || internals.cancelled(multi)) {
            if (mesh.isOutdone() || !settle(JdkHeaders.view(headers))) {
                cancel(current, underWay.ended());
                return outdone();
            }
            return deliver(response, headers);
        }
        internals.resetConnectTimeout(multi);
        return drop();
    }

    /**
     * The connection is kept if what the JDK wants to read of the response for that comes at once. It is not waited for: no time limit
     * runs between two attempts.
     */
    private CompletableFuture<Object> drop() throws Throwable {
        Object dropped = current;
        CompletableFuture<Void> read = internals.ignoreBody(dropped);
        if (read.isDone()) {
            return again();
        }
        CompletableFuture<Boolean> whole = new CompletableFuture<>();
        CompletableFuture<Void> ignored = read.whenComplete((nothing, failure) -> whole.complete(true));
        return whole.completeOnTimeout(false, PATIENCE_FOR_DROPPED_MILLIS, TimeUnit.MILLISECONDS)
                .handleAsync((came, failure) -> {
                    if (!came) {
                        cancel(dropped, new IOException("the response is dropped"));
                    }
                    return again();
                }, this::elsewhere)
                .thenCompose(Function.identity());
    }

    private CompletableFuture<Object> failed(Throwable failure) throws Throwable {
        Throwable cause = failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (mesh.onFailure(classify(cause)) && !internals.cancelled(multi)) {
            return again();
        }
        return giveUp(cause);
    }

    private CompletableFuture<Object> giveUp(Throwable cause) throws Throwable {
        if (mesh.isOutdone() || !settle(null)) {
            return outdone();
        }
        end.run();
        if (current != first) {
            internals.shareConnection(current, first);
            // what the JDK does next, it does with the request as the app made it
            use(first);
        }
        if (cause instanceof ConnectException) {
            internals.bodyIgnored(first, new GivenUp(cause));
        }
        return CompletableFuture.failedFuture(original().attemptCount() > 1 ? untried(cause) : cause);
    }

    /** What the JDK tells the app where it does not try once more what failed on a connection: the mesh has tried as often as policy allows. */
    private static Throwable untried(Throwable failure) {
        boolean triedAgain = failure.getClass().getName().equals("jdk.internal.net.http.common.ConnectionExpiredException");
        return triedAgain && failure.getCause() != null ? failure.getCause() : failure;
    }

    private CompletableFuture<Object> again() {
        live = null;
        try {
            long pause = mesh.backoffNanos();
            if (pause <= 0) {
                return attempt();
            }
            CompletableFuture<Void> gate = new CompletableFuture<>();
            Object waiting = internals.newExchange(internals.request(first), multi);
            internals.pendingConnection(waiting, gate);
            use(waiting);
            gate.completeOnTimeout(null, pause, TimeUnit.NANOSECONDS);
            return gate.handleAsync(this::afterPause, this::elsewhere).thenCompose(Function.identity());
        } catch (Throwable fault) {
            mesh.end();
            return CompletableFuture.failedFuture(fault);
        }
    }

    private CompletableFuture<Object> afterPause(Void nothing, Throwable cancelled) {
        try {
            if (cancelled == null) {
                return attempt();
            }
            mesh.onFailure(Failure.CANCELLED);
            return giveUp(cancelled);
        } catch (Throwable fault) {
            mesh.end();
            return CompletableFuture.failedFuture(fault);
        }
    }

    private Failure classify(Throwable cause) throws Throwable {
        if (internals.cancelledByApp(multi)) {
            return Failure.CANCELLED;
        }
        if (cause instanceof ConnectException
                || cause instanceof NoRouteToHostException
                || cause instanceof HttpConnectTimeoutException) {
            return Failure.CONNECT;
        }
        if (internals.cancelled(multi)) {
            return Failure.TIMEOUT;
        }
        if (!(cause instanceof IOException)) {
            // thrown by the app, as by its body publisher
            return Failure.CANCELLED;
        }
        return internals.unprocessedByPeer(current) ? Failure.REFUSED : Failure.RESET;
    }

    private CompletableFuture<Object> deliver(Object response, HttpHeaders received) throws Throwable {
        HttpHeaders headers = received;
        ResponseChanges changes = original().responseChanges();
        if (!changes.isEmpty()) {
            JdkHeaders edited = new JdkHeaders(received);
            edited.changeResponse(changes);
            headers = edited.build();
        }
        Object delivered = response;
        if (current != first || headers != received) {
            delivered = internals.newResponse(
                    internals.request(first), first, headers, internals.statusCode(response), internals.version(response));
        }
        Body body = new RemoteBody(internals, mesh, end, headers);
        if (current != first) {
            internals.shareConnection(current, first);
            internals.bodyIgnored(current, body);
        }
        internals.bodyIgnored(first, body);
        if (internals.statusCode(response) == 204 || isReadAlready()) {
            // No body comes, and a handler of the app's that throws would leave the JDK without a word about it.
            end.run();
        }
        return CompletableFuture.completedFuture(delivered);
    }

    /**
     * An answer in the place of {@code 100 Continue} older JDKs read to its end by themselves, and then wait for the same bytes again, for the app: it is
     * over for the endpoint, whatever comes of that wait.
     */
    private boolean isReadAlready() {
        return request.expectContinue() && !underWay.isBodyBegun() && internals.readsWhatWasNotExpected();
    }

    /** The exchange that the app's request is to the mesh. */
    private Exchange original() {
        return contest == null ? mesh : contest.original().mesh;
    }

    /**
     * The outcome is to be the request's: no other attempt is under way any more.
     *
     * @param headers null: there is no response
     * @return false: another one's is
     */
    private boolean settle(ResponseHeaders headers) throws Throwable {
        end = new BodyEnd(mesh, null, internals, multi);
        if (contest == null) {
            return true;
        }
        if (!contest.end(this)) {
            return false;
        }
        if (mesh instanceof HedgedAttempt further) {
            original().takeOver(further, headers);
            end = new BodyEnd(mesh, original(), internals, multi);
        }
        return true;
    }

    private CompletableFuture<Object> reply(LocalReply reply) throws Throwable {
        boolean bodiless = request.method().equals("HEAD") || reply.status() == 204 || reply.status() == 304;
        Map<String, List<String>> values = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (Map.Entry<String, String> header : reply.headers()) {
            values.merge(header.getKey(), List.of(header.getValue()), Attempts::concat);
        }
        if (reply.status() != 204) {
            values.putIfAbsent("content-length", List.of(Integer.toString(reply.body().length)));
        }
        HttpHeaders headers = HttpHeaders.of(values, (name, value) -> true);
        LocalBody.Head head = new LocalBody.Head(reply.status(), headers);
        Body body = new LocalBody(internals, head, bodiless ? new byte[0] : reply.body());
        internals.bodyIgnored(current, body);
        internals.bodyIgnored(first, body);
        end.run();
        return CompletableFuture.completedFuture(
                internals.newResponse(internals.request(first), first, headers, reply.status(), head.version()));
    }

    private static List<String> concat(List<String> some, List<String> more) {
        return Stream.concat(some.stream(), more.stream()).toList();
    }
}
