package io.weft.instrumentation.helidon;

import io.helidon.common.buffers.DataReader.InsufficientDataAvailableException;
import io.helidon.http.Headers;
import io.helidon.http.WritableHeaders;
import io.helidon.webclient.api.WebClientServiceResponse;
import io.helidon.webclient.spi.WebClientService;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.ExchangeEnd;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;

/** One request in the mesh, on the thread that sends it: as many attempts as it takes. */
final class Attempts {
    private final AdapterContext context;
    private final CallChains chains;
    private final ThreadLocal<Attempt> current;
    private final WebClientService.Chain chain;
    private final OutgoingRequest exchange;

    Attempts(AdapterContext context, CallChains chains, ThreadLocal<Attempt> current, WebClientService.Chain chain, OutgoingRequest exchange) {
        this.context = context;
        this.chains = chains;
        this.current = current;
        this.chain = chain;
        this.exchange = exchange;
    }

    WebClientServiceResponse run() throws Throwable {
        ExchangeEnd end = new ExchangeEnd(exchange);
        try {
            WebClientServiceResponse response = attempts();
            if (response == null) {
                end.run();
                return LocalAnswer.to(exchange, chains, chain);
            }
            return watched(response, end);
        } catch (Throwable e) {
            end.run();
            throw e;
        }
    }

    private WebClientServiceResponse watched(WebClientServiceResponse response, ExchangeEnd end) throws Throwable {
        ResponseChanges changes = exchange.responseChanges();
        InputStream body = response.inputStream().orElse(null);
        if (body == null) {
            end.run();
        } else {
            response.whenComplete().whenComplete((complete, failure) -> end.run());
        }
        if (body == null && changes.isEmpty()) {
            return response;
        }
        WebClientServiceResponse.Builder watched = WebClientServiceResponse.builder(response);
        if (!changes.isEmpty()) {
            WritableHeaders<?> headers = WritableHeaders.create(response.headers());
            new HeaderView(headers).changeResponse(changes);
            watched.headers(chains.headers(chain, headers));
        }
        if (body != null) {
            watched.inputStream(new WatchedBody(body, exchange, end));
        }
        return watched.build();
    }

    /** @return null: the mesh answers by itself */
    private WebClientServiceResponse attempts() throws Throwable {
        while (next() == Step.DIAL) {
            Attempt attempt = new Attempt(context, chains, chain, exchange);
            exchange.begins(attempt);
            WebClientServiceResponse response;
            current.set(attempt);
            try {
                response = chain.proceed(exchange.request());
            } catch (RuntimeException e) {
                Failure failure = classify(attempt, e);
                attempt.drop();
                if (!exchange.onFailure(failure)) {
                    throw e;
                }
                pause(exchange.backoffNanos());
                continue;
            } finally {
                current.remove();
            }
            Headers headers = response.headers();
            if (!exchange.onResponse(response.status().code(), name -> RequestHeaders.joined(headers, name))) {
                return response;
            }
            if (response.inputStream().isPresent()) {
                attempt.drop();
            } else {
                response.connection().releaseResource();
            }
            pause(exchange.backoffNanos());
        }
        return null;
    }

    /** A filter may hold the request up before its first attempt. */
    private Step next() {
        Step step = exchange.next();
        while (step == Step.WAIT) {
            pause(exchange.backoffNanos());
            step = exchange.next();
        }
        return step;
    }

    private static Failure classify(Attempt attempt, RuntimeException failure) {
        if (!attempt.isLed() || Thread.currentThread().isInterrupted()) {
            return Failure.CANCELLED;
        }
        if (attempt.isEnded()) {
            return Failure.RESET;
        }
        Throwable cause = failure instanceof UncheckedIOException ? failure.getCause() : null;
        if (cause instanceof InterruptedIOException && !(cause instanceof SocketTimeoutException)) {
            return Failure.CANCELLED;
        }
        if (attempt.isConnecting()) {
            return cause == null ? Failure.CANCELLED : Failure.CONNECT;
        }
        if (cause instanceof SocketTimeoutException) {
            return Failure.TIMEOUT;
        }
        // The library says so where a connection ends before a response; the rest is the app's, as what writes its body.
        return cause instanceof IOException || failure instanceof InsufficientDataAvailableException ? Failure.RESET : Failure.CANCELLED;
    }

    private static void pause(long nanos) {
        try {
            TimeUnit.NANOSECONDS.sleep(nanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new InterruptedIOException("interrupted"));
        }
    }
}
