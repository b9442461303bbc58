package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.MeshSocket;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import javax.net.SocketFactory;
import okhttp3.Connection;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.Request;
import okio.Sink;

/** The handlers of {@link OkHttpModule}. Thread-safe. */
public final class OkHttpAdapter implements Adapter {
    private final AdapterContext context;
    private final Calls calls;
    private final Bodies bodies;

    /** Under way on this thread; null: none. It is never removed: each request would pay for an entry anew. */
    private final ThreadLocal<Attempt> current = new ThreadLocal<>();

    public OkHttpAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.calls = Calls.of(context);
        this.bodies = new Bodies();
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "connect" -> (Handler.Around) (connect, chain, a1, a2, a3) -> connect((Interceptor) connect, (Interceptor.Chain) chain);
            case "address" -> (Handler.Around) (self, url, a1, a2, a3) -> {
                Attempt attempt = current.get();
                return attempt == null || !attempt.isMeshed() ? Handler.PROCEED : attempt.address((HttpUrl) url);
            };
            case "acquired" -> (Handler.Around) (self, connection, a1, a2, a3) -> {
                if (((Connection) connection).socket() instanceof MeshSocket socket) {
                    socket.leased();
                }
                return Handler.PROCEED;
            };
            case "idle" -> (Handler.Around) (pool, connection, a1, a2, a3) -> {
                if (((Connection) connection).socket() instanceof MeshSocket socket) {
                    socket.idle();
                }
                return Handler.PROCEED;
            };
            case "write-headers" -> (Handler.Argument) (codec, request, a0, a1, a2) -> {
                Attempt attempt = current.get();
                return attempt == null ? request : attempt.begin(codec, (Request) request);
            };
            case "request-body" -> (Handler.Result) (codec, sink, a0, a1, a2) -> {
                Attempt attempt = current.get();
                return attempt == null ? sink : attempt.body((Sink) sink);
            };
            default -> throw new IllegalArgumentException("no hook of okhttp: " + hook);
        };
    }

    private Object connect(Interceptor connect, Interceptor.Chain chain) throws Throwable {
        Attempt outer = current.get();
        if (outer != null && outer.isOf(chain)) {
            return Handler.PROCEED;
        }
        if (outer != null) {
            // One of the app's interceptors sends a request of its own in the middle of an attempt.
            current.set(null);
        }
        try {
            HttpUrl url = chain.request().url();
            ConnectException refusal = Outside.refusal(context.outbound(), url.isHttps(), url.host(), url.port());
            if (refusal != null) {
                return new Handler.Thrown(calls.refusal(refusal));
            }
            OutgoingRequest exchange = new OutgoingRequest(chain.request(), bodies);
            ConnectionSettings settings;
            try {
                settings = claimed(chain, exchange);
            } catch (Throwable fault) {
                return new Handler.Thrown(calls.refusal(Unsent.failure(exchange, fault)));
            }
            if (settings != null) {
                return send(new Attempts(context, calls, current, connect, chain, exchange, settings));
            }
            if (outer == null) {
                return Handler.PROCEED;
            }
            current.set(Attempt.unmeshed(chain));
            return connect.intercept(chain);
        } finally {
            if (outer != null) {
                current.set(outer);
            }
        }
    }

    private static Object send(Attempts attempts) {
        try {
            return attempts.run();
        } catch (Throwable thrown) {
            // the app's as the library throws it
            return new Handler.Thrown(thrown);
        }
    }

    /** @return null: no policy names it, or it is not for the mesh */
    private ConnectionSettings claimed(Interceptor.Chain chain, OutgoingRequest exchange) throws Throwable {
        HttpUrl url = chain.request().url();
        if (url.isHttps() || calls.isWebSocket(chain.call()) || !context.outbound().claims(exchange)) {
            return null;
        }
        ConnectionSettings settings = calls.settings(chain);
        if (!Proxies.isDirect(settings, url)) {
            return null;
        }
        if (settings.socketFactory() != SocketFactory.getDefault()) {
            context.warn("an OkHttpClient has a SocketFactory of its own; connections to endpoints of the mesh do not come from it");
        }
        return settings;
    }
}
