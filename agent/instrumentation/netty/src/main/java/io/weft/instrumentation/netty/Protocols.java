package io.weft.instrumentation.netty;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What pipelines of the app speak, as far as their handlers tell. Thread-safe. */
final class Protocols {

    enum Guarded {
        /** The mesh looks at each request. */
        YES,
        /** There is a handler that may put one there for which that is so, once it has seen the first bytes. */
        NOT_YET,
        NO
    }

    /** Not in a switch: for a copy of Netty these are other texts, with other hash codes. */
    private static final Set<String> OWN_TLS = Set.of(
            "io.netty.handler.ssl.SslHandler",
            "io.netty.handler.ssl.AbstractSniHandler",
            "io.netty.handler.ssl.SslClientHelloHandler",
            "io.netty.handler.ssl.OptionalSslHandler");

    private final List<Protocol> known = new ArrayList<>(2);

    /** Each is of a part of Netty that the app may not have: nothing but its name is here. */
    Protocols(AdapterContext context) {
        find(context, "io.netty.handler.codec.http.HttpServerCodec", "Http1");
        find(context, "io.netty.handler.codec.http2.Http2ConnectionHandler", "Http2");
    }

    private void find(AdapterContext context, String codec, String protocol) {
        try {
            context.lookup(codec);
        } catch (ReflectiveOperationException | LinkageError absent) {
            return;
        }
        try {
            Class<?> type = Class.forName(Protocols.class.getPackageName() + '.' + protocol);
            known.add((Protocol) type.getDeclaredConstructor(AdapterContext.class).newInstance(context));
        } catch (ReflectiveOperationException | LinkageError e) {
            context.warn("its " + codec + " cannot be looked into: " + e);
        }
    }

    Handler handler(String hook) {
        for (Protocol protocol : known) {
            Handler.Argument handler = protocol.handler(hook);
            if (handler != null) {
                return handler;
            }
        }
        return (Handler.Argument) (self, argument, a0, a1, a2) -> argument;
    }

    void added(ChannelHandlerContext handler, Accepted accepted) {
        for (int i = 0; i < known.size(); i++) {
            known.get(i).added(handler, accepted);
        }
    }

    /** @param name of a handler. @return null: others may be put behind it */
    String behind(ChannelPipeline pipeline, String name) {
        ChannelHandlerContext handler = name == null ? null : pipeline.context(name);
        String behind = null;
        for (int i = 0; handler != null && behind == null && i < known.size(); i++) {
            behind = known.get(i).behind(pipeline, handler);
        }
        return behind;
    }

    Guarded guarded(ChannelPipeline pipeline) {
        Guarded guarded = Guarded.NO;
        for (Map.Entry<String, ChannelHandler> entry : pipeline) {
            ChannelHandler handler = entry.getValue();
            for (int i = 0; i < known.size(); i++) {
                if (known.get(i).governs(handler)) {
                    return Guarded.YES;
                }
            }
            if (isOfHttp(handler)) {
                guarded = Guarded.NOT_YET;
            }
        }
        return guarded;
    }

    private static boolean isOfHttp(ChannelHandler handler) {
        String name = handler.getClass().getName();
        String simple = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return simple.contains("http") || simple.contains("h2c");
    }

    /** Whether a caller that speaks HTTP/2 unasked is understood. */
    static boolean speaksHttp2(ChannelPipeline pipeline) {
        for (Map.Entry<String, ChannelHandler> entry : pipeline) {
            for (Class<?> type = entry.getValue().getClass(); type != Object.class; type = type.getSuperclass()) {
                String name = type.getName();
                String simple = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
                if (simple.contains("http2") || simple.contains("h2c")) {
                    return true;
                }
            }
        }
        return false;
    }

    static boolean hasOwnTls(ChannelPipeline pipeline) {
        for (Map.Entry<String, ChannelHandler> entry : pipeline) {
            for (Class<?> type = entry.getValue().getClass(); type != Object.class; type = type.getSuperclass()) {
                if (OWN_TLS.contains(type.getName())) {
                    return true;
                }
            }
        }
        return false;
    }
}
