package io.weft.instrumentation.springrestclient;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.NextHeaders;
import org.springframework.http.HttpHeaders;

/** The handler of {@link SpringRestClientModule}. Thread-safe. */
public final class SpringRestClientAdapter implements Adapter {
    public SpringRestClientAdapter(AdapterContext context) {}

    @Override
    public Handler handler(String hook) {
        if (!hook.equals("execute")) {
            throw new IllegalArgumentException("no hook of spring-rest-client: " + hook);
        }
        return (Handler.Around) (request, headers, body, a2, a3) -> {
            NextHeaders.give(request.getClass(), new RequestHeaders((HttpHeaders) headers));
            return Handler.PROCEED;
        };
    }
}
