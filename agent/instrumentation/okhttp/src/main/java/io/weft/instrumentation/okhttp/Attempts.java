package io.weft.instrumentation.okhttp;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.ExchangeEnd;
import io.weft.instrumentation.Interrupted;
import io.weft.instrumentation.Unsent;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import okhttp3.Headers;
import okhttp3.Interceptor;
import okhttp3.Response;
import okhttp3.ResponseBody;

/** One hop in the mesh, on the thread of the call: as many attempts as it takes. */
final class Attempts {
    private static final long CANCELLATION_POLL_MS = 10;

    /** How the library says before 5 that there is no connection. */
    private static final String NO_CONNECTION = "okhttp3.internal.connection.RouteException";

    private final AdapterContext context;
    private final Calls calls;
    private final ThreadLocal<Attempt> current;
    private final Interceptor connect;
    private final Interceptor.Chain chain;
    private final OutgoingRequest exchange;
    private final ConnectionSettings settings;

    Attempts(
            AdapterContext context,
            Calls calls,
            ThreadLocal<Attempt> current,
            Interceptor connect,
            Interceptor.Chain chain,
            OutgoingRequest exchange,
            ConnectionSettings settings) {
        this.context = context;
        this.calls = calls;
        this.current = current;
        this.connect = connect;
        this.chain = chain;
        this.exchange = exchange;
        this.settings = settings;
    }

    Response run() throws Throwable {
        ExchangeEnd end = new ExchangeEnd(exchange);
        try {
            Response response = attempts();
            if (response == null) {
                end.run();
                return LocalAnswer.of(exchange.reply(), chain.request());
            }
            return watched(response, end);
        } catch (Throwable e) {
            end.run();
            throw e;
        }
    }

    private Response watched(Response response, ExchangeEnd end) {
        Headers headers = HeaderEdits.changed(response.headers(), exchange.responseChanges());
        ResponseBody body = response.body();
        boolean read = body.contentLength() != 0;
        if (!read) {
            end.run();
        }
        boolean changed = headers != response.headers();
        if (!read && !changed) {
            return response;
        }
        Response.Builder watched = response.newBuilder();
        if (changed) {
            watched.headers(headers);
        }
        if (read) {
            watched.body(new WatchedBody(body, chain.call(), exchange, end));
        }
        return watched.build();
    }

    /** @return null: the mesh answers by itself */
    private Response attempts() throws Throwable {
        while (next() == Step.DIAL) {
            Attempt attempt = new Attempt(chain, exchange, calls, settings);
            exchange.begins(attempt);
            Response response;
            current.set(attempt);
            try {
                lead(attempt);
                response = connect.intercept(chain);
            } catch (IOException | RuntimeException e) {
                Failure failure = classify(attempt, e);
                attempt.over();
                if (!exchange.onFailure(failure) || chain.call().isCanceled()) {
                    throw e;
                }
                calls.drop(chain, e);
                pause(exchange.backoffNanos());
                continue;
            } finally {
                current.set(null);
            }
            if (!exchange.onResponse(response.code(), name -> HeaderEdits.joined(response.headers(), name))
                    || chain.call().isCanceled()) {
                return response;
            }
            response.close();
            calls.drop(chain, null);
            pause(exchange.backoffNanos());
        }
        return null;
    }

    /** Where policy wants mesh TLS, the library goes to the endpoint or nowhere: also after a fault of the hook by which it asks for the address. */
    private void lead(Attempt attempt) throws Throwable {
        Throwable fault = null;
        try {
            calls.lead(chain, attempt);
        } catch (RuntimeException | LinkageError e) {
            fault = e;
        }
        if (attempt.isLed()) {
            if (fault != null) {
                throw fault;
            }
            return;
        }
        if (!exchange.mayFailOpen()) {
            throw calls.refusal(Unsent.because(fault != null ? fault : new IllegalStateException("it was not asked for the address")));
        }
        context.warn("a request goes where the app's own resolver says: " + fault);
    }

    /** A filter may hold the request up before its first attempt. */
    private Step next() throws IOException {
        Step step = exchange.next();
        while (step == Step.WAIT) {
            pause(exchange.backoffNanos());
            step = exchange.next();
        }
        return step;
    }

    private Failure classify(Attempt attempt, Exception failure) throws Throwable {
        if (chain.call().isCanceled() || !attempt.isLed() || Interrupted.hasClosed(failure)) {
            return Failure.CANCELLED;
        }
        if (attempt.isEnded()) {
            // the library may well say that there is no connection any more
            return Failure.RESET;
        }
        if (!calls.isConnected(chain)) {
            return isConnectFailure(failure) ? Failure.CONNECT : Failure.CANCELLED;
        }
        if (!attempt.isSent() || !(failure instanceof IOException)) {
            // a network interceptor of the app's
            return Failure.CANCELLED;
        }
        if (failure instanceof SocketTimeoutException) {
            return Failure.TIMEOUT;
        }
        if (failure instanceof InterruptedIOException) {
            return Failure.CANCELLED;
        }
        return isRefused(failure) ? Failure.REFUSED : Failure.RESET;
    }

    private static boolean isConnectFailure(Exception failure) {
        Throwable cause = failure.getClass().getName().equals(NO_CONNECTION) ? failure.getCause() : failure;
        return cause instanceof IOException && (cause instanceof SocketTimeoutException || !(cause instanceof InterruptedIOException));
    }

    /** HTTP/2: the peer has done nothing. */
    private static boolean isRefused(Exception failure) {
        return failure.getClass().getSimpleName().equals("ConnectionShutdownException")
                || String.valueOf(failure.getMessage()).equals("stream was reset: REFUSED_STREAM");
    }

    private void pause(long nanos) throws IOException {
        long end = System.nanoTime() + nanos;
        try {
            for (long left = nanos; left > 0 && !chain.call().isCanceled(); left = end - System.nanoTime()) {
                TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(CANCELLATION_POLL_MS)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
