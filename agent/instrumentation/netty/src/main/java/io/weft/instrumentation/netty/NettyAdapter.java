package io.weft.instrumentation.netty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ServerChannel;
import io.netty.util.concurrent.EventExecutorGroup;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;

/** The handlers of {@link NettyModule}. Compiled against Netty 4.1.21, links on later ones. Thread-safe. */
public final class NettyAdapter implements Adapter {
    private final AdapterContext context;
    private final Protocols protocols;

    public NettyAdapter(AdapterContext context) {
        this.context = context;
        protocols = new Protocols(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case NettyModule.BIND -> (Handler.Around) (head, ctx, address, promise, a3) -> {
                binds(((ChannelHandlerContext) ctx).channel());
                return Handler.PROCEED;
            };
            case NettyModule.ACCEPTED -> (Handler.Around) (acceptor, ctx, child, a2, a3) -> {
                accepts(((ChannelHandlerContext) ctx).channel(), child);
                return Handler.PROCEED;
            };
            case NettyModule.ADD_FIRST -> (Handler.Around) (pipeline, group, name, handler, a3) ->
                    addFirst((ChannelPipeline) pipeline, (EventExecutorGroup) group, (String) name, (ChannelHandler) handler);
            case NettyModule.ADD_AFTER -> (Handler.Around) (pipeline, group, base, name, handler) ->
                    addAfter((ChannelPipeline) pipeline, (EventExecutorGroup) group, (String) base, (String) name, (ChannelHandler) handler);
            case NettyModule.REMOVE -> (Handler.Around) (pipeline, ctx, a1, a2, a3) ->
                    ((ChannelHandlerContext) ctx).handler() instanceof Gate gate && gate.stays() ? ctx : Handler.PROCEED;
            case NettyModule.HANDLER_ADDED -> (Handler.Result) (pipeline, nothing, ctx, a1, a2) -> {
                added((ChannelHandlerContext) ctx);
                return nothing;
            };
            case NettyModule.FRAME_LISTENER, NettyModule.RESPONSE_HEADERS -> protocols.handler(hook);
            default -> throw new IllegalArgumentException(hook);
        };
    }

    private void binds(Channel channel) {
        if (channel instanceof ServerChannel && channel.pipeline().get(Listening.class) == null) {
            channel.pipeline().addFirst(Listening.NAME, new Listening(context, protocols, false));
        }
    }

    /** What was bound before the agent came is registered with the next connection that it accepts. */
    private void accepts(Channel server, Object accepted) {
        if (accepted instanceof Channel child && server.pipeline().get(Listening.class) == null) {
            Listening listening = new Listening(context, protocols, context.late());
            server.pipeline().addFirst(Listening.NAME, listening);
            listening.bound(server);
            listening.accepted(child);
        }
    }

    /** No handler comes before the one that decides about a connection and secures it. */
    private static Object addFirst(ChannelPipeline pipeline, EventExecutorGroup group, String name, ChannelHandler handler) {
        return pipeline.first() instanceof Gate ? pipeline.addAfter(group, Gate.NAME, name, handler) : Handler.PROCEED;
    }

    /** No handler comes between a codec and the one that looks at its requests: what is there may take them for itself. */
    private Object addAfter(ChannelPipeline pipeline, EventExecutorGroup group, String base, String name, ChannelHandler handler) {
        String ours = Accepted.of(pipeline.channel()) == null ? null : protocols.behind(pipeline, base);
        return ours == null ? Handler.PROCEED : pipeline.addAfter(group, ours, name, handler);
    }

    private void added(ChannelHandlerContext handler) {
        Accepted accepted = Accepted.of(handler.channel());
        if (accepted != null) {
            protocols.added(handler, accepted);
        }
    }
}
