package io.weft.instrumentation.helidon;

import io.helidon.http.ClientResponseHeaders;
import io.helidon.http.Headers;
import io.helidon.http.WritableHeaders;
import io.helidon.webclient.api.WebClientServiceResponse;
import io.helidon.webclient.spi.WebClientService;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.ExchangeEnd;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** One request in the mesh, on the thread that sends it: as many attempts as it takes. */
final class Attempts {
    private final CallChains chains;
    private final ThreadLocal<UnderWay> current;
    private final WebClientService.Chain chain;
    private final OutgoingRequest exchange;

    /** Null before the first. */
    private Attempt attempt;

    Attempts(CallChains chains, ThreadLocal<UnderWay> current, WebClientService.Chain chain, OutgoingRequest exchange) {
        this.chains = chains;
        this.current = current;
        this.chain = chain;
        this.exchange = exchange;
    }

    WebClientServiceResponse run() throws Throwable {
        ExchangeEnd end = new ExchangeEnd(exchange);
        try {
            chains.begin(chain, exchange);
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
        Attempt delivered = attempt;
        if (body == null) {
            end.run();
            delivered.over();
        } else {
            response.whenComplete().whenComplete((complete, failure) -> {
                ends(end);
                delivered.over();
            });
        }
        if (body == null && changes.isEmpty()) {
            return response;
        }
        return new DeliveredResponse(
                response,
                changes.isEmpty() ? response.headers() : changed(response.headers(), changes),
                body == null ? Optional.empty() : Optional.of(new WatchedBody(body, chains, exchange, end)));
    }

    /** Before whoever reads the body is told, and where the app has enough of it. */
    private void ends(ExchangeEnd end) {
        boolean whole;
        try {
            whole = chains.isWhole(chain);
        } catch (Throwable fault) {
            whole = true;
        }
        if (whole) {
            end.run();
        } else {
            end.brokeOff(new IOException("the response breaks off"), false);
        }
    }

    private ClientResponseHeaders changed(ClientResponseHeaders apps, ResponseChanges changes) throws Throwable {
        WritableHeaders<?> headers = WritableHeaders.create(apps);
        new HeaderView(headers).changeResponse(changes);
        return chains.headers(chain, headers);
    }

    /** @return null: the mesh answers by itself */
    private WebClientServiceResponse attempts() throws Throwable {
        while (next() == Step.DIAL) {
            attempt = chains.attempt(chain, exchange);
            exchange.begins(attempt);
            WebClientServiceResponse response;
            current.set(attempt);
            try {
                response = chain.proceed(exchange.request());
            } catch (RuntimeException e) {
                Failure failure = classify(e);
                attempt.drop();
                if (!exchange.onFailure(failure)) {
                    throw e;
                }
                pause(exchange.backoffNanos());
                continue;
            } finally {
                current.set(null);
            }
            if (!isDropped(response)) {
                return response;
            }
            if (response.inputStream().isPresent()) {
                attempt.drop();
            } else {
                response.connection().releaseResource();
                attempt.over();
            }
            pause(exchange.backoffNanos());
        }
        return null;
    }

    private boolean isDropped(WebClientServiceResponse response) {
        Headers headers = response.headers();
        try {
            return exchange.onResponse(response.status().code(), name -> RequestHeaders.joined(headers, name));
        } catch (Throwable fault) {
            attempt.drop();
            throw fault;
        }
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

    private Failure classify(RuntimeException failure) throws Throwable {
        if (!attempt.isLed() || Thread.currentThread().isInterrupted() || failure.getCause() instanceof InterruptedException) {
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
            return chains.connectFailure(failure);
        }
        return chains.failure(chain, failure);
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
