package io.weft.instrumentation.springwebclient;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.EarlyHeaders;
import io.weft.instrumentation.Handler;
import org.springframework.web.reactive.function.client.ClientRequest;
import reactor.core.publisher.Mono;

/** The handler of {@link SpringWebClientModule}. Thread-safe. */
public final class SpringWebClientAdapter implements Adapter {
    private final HeaderValues headerValues;

    public SpringWebClientAdapter(AdapterContext context) throws ReflectiveOperationException {
        headerValues = new HeaderValues();
    }

    @Override
    public Handler handler(String hook) {
        if (!hook.equals("exchange")) {
            throw new IllegalArgumentException("no hook of spring-webclient: " + hook);
        }
        return (Handler.Result) (self, response, request, a1, a2) -> {
            EarlyHeaders headers = new RequestHeaders((ClientRequest) request, headerValues);
            return ((Mono<?>) response).contextWrite(context -> context.put(EarlyHeaders.KEY, headers));
        };
    }
}
