package io.weft.instrumentation.httpurlconnection;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Proxy;
import java.net.URL;
import sun.net.www.MessageHeader;
import sun.net.www.protocol.http.HttpURLConnection;

/** The handlers of {@link HttpUrlConnectionModule}. Thread-safe. */
public final class HttpUrlConnectionAdapter implements Adapter {
    /** For a time limit. */
    private static final int JDK_DEFAULT = -1;

    private final AdapterContext context;
    private final Internals internals;

    public HttpUrlConnectionAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "outside" -> (Handler.Around) (connection, a0, a1, a2, a3) -> outside(((HttpURLConnection) connection).getURL());
            case "connect" -> (Handler.Around) (connection, url, proxy, timeout, a3) ->
                    connect((HttpURLConnection) connection, (URL) url, (Proxy) proxy, (int) timeout, true);
            case "connect-anew" -> (Handler.Around) (connection, url, proxy, timeout, reuse) ->
                    connect((HttpURLConnection) connection, (URL) url, (Proxy) proxy, (int) timeout, (boolean) reuse);
            case "reconnect" -> (Handler.Around) (connection, url, reuse, a2, a3) ->
                    reconnect((HttpURLConnection) connection, (URL) url, (boolean) reuse);
            case "response" -> (Handler.Around) (client, responses, progress, connection, a3) ->
                    response(client, (MessageHeader) responses, progress, connection);
            default -> throw new IllegalArgumentException("no hook of http-url-connection: " + hook);
        };
    }

    private Object connect(HttpURLConnection connection, URL url, Proxy proxy, int timeout, boolean reuse) throws Throwable {
        if (!url.getProtocol().equalsIgnoreCase("http") || (proxy != null && proxy.type() != Proxy.Type.DIRECT)) {
            return Handler.PROCEED;
        }
        MessageHeader headers = internals.requests(connection);
        // a request line is there when this is a redirect: its Host header is still that of the hop before
        String host = headers.getKey(0) != null && headers.getValue(0) == null ? null : headers.findValue("Host");
        OutgoingRequest exchange = new OutgoingRequest(connection, url, headers, host);
        try {
            return context.outbound().claims(exchange)
                    ? MeshHttpClient.open(internals, connection, url, timeout, reuse, exchange)
                    : Handler.PROCEED;
        } catch (IOException e) {
            return new Handler.Thrown(e);
        } catch (RuntimeException | Error fault) {
            return new Handler.Thrown(Unsent.failure(exchange, fault));
        }
    }

    private Object outside(URL url) {
        ConnectException refusal = Outside.refusal(
                context.outbound(), url.getProtocol().equalsIgnoreCase("https"), url.getHost(), url.getPort());
        return refusal == null ? Handler.PROCEED : new Handler.Thrown(refusal);
    }

    private Object reconnect(HttpURLConnection connection, URL url, boolean reuse) throws Throwable {
        int limit = connection.getConnectTimeout();
        Object client = connect(connection, url, null, limit == 0 ? JDK_DEFAULT : limit, reuse);
        if (!(client instanceof MeshHttpClient mesh)) {
            return client;
        }
        internals.client(connection, mesh);
        mesh.setReadTimeout(connection.getReadTimeout());
        return null;
    }

    /** @param second the progress source until JDK 23, else the connection */
    private Object response(Object client, MessageHeader responses, Object second, Object third) {
        if (!(client instanceof MeshHttpClient mesh) || mesh.passive()) {
            return Handler.PROCEED;
        }
        HttpURLConnection connection = (HttpURLConnection) (third == null ? second : third);
        try {
            return mesh.response(responses, third == null ? null : second, connection);
        } catch (IOException | RuntimeException | Error e) {
            // Without it the JDK would ask once more, past what policy says.
            return new Handler.Thrown(e);
        }
    }
}
