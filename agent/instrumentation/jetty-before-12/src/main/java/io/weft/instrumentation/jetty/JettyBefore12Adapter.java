package io.weft.instrumentation.jetty;

import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.server.HttpChannel;
import org.eclipse.jetty.server.HttpInput;

/** Jetty 9.4, 10 and 11. Compiled against 9.4; the servlet API's package differs, so no member is used of which a signature names it. */
public final class JettyBefore12Adapter extends ServerAdapter {
    private final AdmissionBefore12 admission;

    public JettyBefore12Adapter(AdapterContext context) throws ReflectiveOperationException {
        super(context);
        admission = new AdmissionBefore12(ports, connections, http2, MessagesBefore12.of(context));
    }

    @Override
    Handler requestHandler(String hook) {
        return switch (hook) {
            case JettyModule.REQUEST_HEAD -> (Handler.Argument) (channel, head, a0, a1, a2) ->
                    admission.asOverPlaintext((HttpChannel) channel, (MetaData.Request) head);
            case JettyModule.HANDLE -> (Handler.Around) (channel, a0, a1, a2, a3) -> admission.handle((HttpChannel) channel);
            case JettyModule.SERVE -> (Handler.Around) (server, channel, a1, a2, a3) -> admission.serve((HttpChannel) channel);
            case JettyModule.RESPONSE_HEAD -> (Handler.Around) (channel, head, content, last, a3) -> {
                if (head == null) {
                    admission.send((HttpChannel) channel, (boolean) last);
                }
                return Handler.PROCEED;
            };
            case JettyModule.BODY_READ -> (Handler.Result) (input, count, a0, a1, a2) -> admission.bodyRead((HttpInput) input, (int) count);
            case JettyModule.OVER -> (Handler.Around) (channel, a0, a1, a2, a3) -> {
                admission.over((HttpChannel) channel);
                return Handler.PROCEED;
            };
            default -> throw new IllegalArgumentException(hook);
        };
    }
}
