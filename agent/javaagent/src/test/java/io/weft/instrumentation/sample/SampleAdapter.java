package io.weft.instrumentation.sample;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.lang.invoke.VarHandle;
import sample.library.Greeter;

/** Uses the library's types directly, a private field of it, and a class of its own package. */
public final class SampleAdapter implements Adapter {
    private final VarHandle secret;

    public SampleAdapter(AdapterContext context) throws ReflectiveOperationException {
        secret = context.lookup("sample.library.Greeter").findVarHandle(Greeter.class, "secret", String.class);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "greet" -> (Handler.Result) (self, result, a0, a1, a2) ->
                    new Decoration((Greeter) self, (String) secret.get((Greeter) self)).of((String) result);
            case "length" -> (Handler.Around) (self, text, a1, a2, a3) -> switch ((String) text) {
                case "wrong type" -> "not a number";
                case "nothing" -> null;
                case "no such method" -> throw new NoSuchMethodError("from the handler");
                case "mesh" -> 42;
                default -> Handler.PROCEED;
            };
            default -> throw new IllegalArgumentException(hook);
        };
    }
}
