package io.weft.instrumentation.jetty;

import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.server.HttpChannel;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.Callback;

/** Jetty 12. */
public final class JettyAdapter extends ServerAdapter {
    private final Admission admission;

    public JettyAdapter(AdapterContext context) throws ReflectiveOperationException {
        super(context);
        admission = new Admission(context, ports, connections, http2);
    }

    @Override
    Handler requestHandler(String hook) {
        return switch (hook) {
            case JettyModule.REQUEST_HEAD -> (Handler.Argument) (channel, head, a0, a1, a2) ->
                    asOverPlaintext((HttpChannel) channel, (MetaData.Request) head);
            case JettyModule.HANDLE -> (Handler.Around) (server, request, response, callback, a3) ->
                    admission.handle((Server) server, (Request) request, (Response) response, (Callback) callback);
            default -> throw new IllegalArgumentException(hook);
        };
    }

    /** A sidecar may say that a request is for {@code https}, since it comes over TLS. The app is to see what it sees over plaintext. */
    private static MetaData.Request asOverPlaintext(HttpChannel channel, MetaData.Request head) {
        if (head.getHttpVersion() != HttpVersion.HTTP_2
                || head.getClass() != MetaData.Request.class
                || !"https".equals(head.getHttpURI().getScheme())) {
            return head;
        }
        MeshSocketChannel mesh = MeshSocketChannel.of(channel.getConnectionMetaData().getConnection().getEndPoint());
        if (mesh == null || !mesh.bytes().isSecured()) {
            return head;
        }
        return new MetaData.Request(
                head.getBeginNanoTime(),
                head.getMethod(),
                HttpURI.build(head.getHttpURI()).scheme("http").asImmutable(),
                head.getHttpVersion(),
                head.getHttpFields(),
                head.getContentLength(),
                head.getTrailersSupplier());
    }
}
