package io.weft.instrumentation.undertow;

import io.undertow.UndertowOptions;
import io.undertow.server.Connectors;
import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.ParameterLimitException;
import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundExchange;
import io.weft.dataplane.RequestChanges;
import java.net.InetSocketAddress;
import java.util.List;
import org.xnio.OptionMap;

/** One of Undertow's requests as the mesh sees it, before any handler makes something of it. */
final class IncomingRequest extends InboundExchange implements ExchangeCompletionListener {
    private final HttpServerExchange exchange;
    private final InboundConnection accepted;
    private final Connection connection;
    private boolean waiting;
    /** The app has the request and has not begun to answer. */
    private boolean withApp;
    private volatile boolean tooLarge;

    private IncomingRequest(HttpServerExchange exchange, InboundConnection accepted, Connection connection) {
        this.exchange = exchange;
        this.accepted = accepted;
        this.connection = connection;
    }

    /** @return null: it is over no network */
    static IncomingRequest of(HttpServerExchange exchange, Accepting accepting) {
        InboundConnection accepted = accepting.of(exchange.getConnection());
        if (accepted != null) {
            return new IncomingRequest(exchange, accepted, accepted.connection());
        }
        return exchange.getConnection().getLocalAddress() instanceof InetSocketAddress local
                && exchange.getConnection().getPeerAddress() instanceof InetSocketAddress remote
                ? new IncomingRequest(exchange, null, new Connection(local, remote, "", null))
                : null;
    }

    @Override
    public void exchangeEvent(HttpServerExchange same, NextListener next) {
        try {
            end();
        } finally {
            next.proceed();
        }
    }

    Step decide() {
        Step step = next();
        waiting = step == Step.WAIT;
        return step;
    }

    boolean isWaiting() {
        return waiting;
    }

    /** Over TLS of the mesh's. */
    boolean isSecured() {
        return connection.peer() != null;
    }

    void handOver() {
        withApp = true;
    }

    /** Its body is longer than it may be. */
    void cutOff() {
        tooLarge = true;
    }

    boolean isTooLarge() {
        return tooLarge;
    }

    /** Whether the app's own response begins, which it does once. */
    boolean isAnsweredByApp(int status) {
        boolean begins = withApp && (status >= 200 || status == 101);
        withApp &= !begins;
        return begins;
    }

    void change(RequestChanges changes) {
        new HeaderView(exchange.getRequestHeaders()).change(changes);
        if (changes.authority() != null) {
            exchange.getRequestHeaders().put(Headers.HOST, changes.authority());
        }
        if (changes.path() != null) {
            exchange.setQueryString("");
            exchange.getQueryParameters().clear();
            exchange.getPathParameters().clear();
            changePath(changes.path());
        }
    }

    /** As the parser of requests has it. */
    private void changePath(String path) {
        OptionMap options = exchange.getConnection().getUndertowOptions();
        try {
            Connectors.setExchangeRequestPath(
                    exchange,
                    path,
                    options.get(UndertowOptions.URL_CHARSET, "UTF-8"),
                    options.get(UndertowOptions.DECODE_URL, true),
                    options.get(UndertowOptions.ALLOW_ENCODED_SLASH, false),
                    new StringBuilder(),
                    options.get(UndertowOptions.MAX_PARAMETERS, UndertowOptions.DEFAULT_MAX_PARAMETERS));
        } catch (ParameterLimitException e) {
            throw new IllegalStateException("the path that a route rewrites has too many parameters", e);
        }
    }

    @Override
    protected long responseBytesWritten() {
        return exchange.getResponseBytesSent();
    }

    @Override
    public String method() {
        return exchange.getRequestMethod().toString();
    }

    @Override
    public String scheme() {
        return exchange.getRequestScheme();
    }

    @Override
    public String authority() {
        String host = header("host");
        return host == null ? "" : host;
    }

    @Override
    public String path() {
        String uri = exchange.getRequestURI();
        if (exchange.isHostIncludedInRequestURI()) {
            int authority = uri.indexOf("//");
            int path = authority < 0 ? -1 : uri.indexOf('/', authority + 2);
            uri = path < 0 ? "/" : uri.substring(path);
        }
        String query = exchange.getQueryString();
        return query.isEmpty() ? uri : uri + '?' + query;
    }

    @Override
    public String header(String name) {
        return HeaderView.joined(exchange.getRequestHeaders(), name);
    }

    @Override
    public List<String> values(String name) {
        HeaderValues values = exchange.getRequestHeaders().get(name);
        return values == null ? List.of() : List.copyOf(values);
    }

    @Override
    protected long headerBytes() {
        long bytes = path().length();
        for (HeaderValues values : exchange.getRequestHeaders()) {
            for (String value : values) {
                bytes += values.getHeaderName().length() + value.length();
            }
        }
        return bytes;
    }

    @Override
    public String protocol() {
        return exchange.getProtocol().toString();
    }

    @Override
    public Connection connection() {
        return connection;
    }

    @Override
    protected InboundConnection accepted() {
        return accepted;
    }
}
