package io.weft.instrumentation.sample;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;

/** Needs little of the library. */
public final class OlderAdapter implements Adapter {
    public OlderAdapter(AdapterContext context) {}

    @Override
    public Handler handler(String hook) {
        return hook.equals("greet")
                ? (Handler.Result) (self, result, a0, a1, a2) -> result + ", as ever"
                : (Handler.Around) (self, a0, a1, a2, a3) -> Handler.PROCEED;
    }
}
