package io.weft.instrumentation.springclients;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.EarlyHeaders;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import org.springframework.http.client.ClientHttpRequest;
import org.springframework.web.reactive.function.client.ClientRequest;
import reactor.core.publisher.Mono;

/** The handlers of {@link SpringClientsModule}. Thread-safe. */
public final class SpringClientsAdapter implements Adapter {
    private final HeaderValues headerValues;

    public SpringClientsAdapter(AdapterContext context) throws ReflectiveOperationException {
        headerValues = new HeaderValues();
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "exchange" -> (Handler.Result) (self, response, request, a1, a2) -> {
                EarlyHeaders headers = new RequestHeaders((ClientRequest) request, headerValues);
                return ((Mono<?>) response).contextWrite(context -> context.put(EarlyHeaders.KEY, headers));
            };
            case "execute" -> (Handler.Around) (request, a0, a1, a2, a3) ->
                    isOverReactorNetty(request) ? execute((ClientHttpRequest) request) : Handler.PROCEED;
            default -> throw new IllegalArgumentException("no hook of spring-clients: " + hook);
        };
    }

    private static boolean isOverReactorNetty(Object request) {
        return switch (request.getClass().getName()) {
            // 6.1, from 6.2 on
            case "org.springframework.http.client.ReactorNettyClientRequest", "org.springframework.http.client.ReactorClientHttpRequest" -> true;
            default -> false;
        };
    }

    /** It subscribes on this thread and waits. */
    private Object execute(ClientHttpRequest request) {
        EarlyHeaders outer = EarlyHeaders.OF_THREAD.get();
        if (outer instanceof BlockingRequestHeaders under && under.request() == request) {
            return Handler.PROCEED;
        }
        EarlyHeaders.OF_THREAD.set(new BlockingRequestHeaders(request, request.getHeaders(), headerValues));
        try {
            return request.execute();
        } catch (IOException | RuntimeException | Error thrown) {
            return new Handler.Thrown(thrown);
        } finally {
            if (outer == null) {
                EarlyHeaders.OF_THREAD.remove();
            } else {
                EarlyHeaders.OF_THREAD.set(outer);
            }
        }
    }
}
