package io.weft.instrumentation.asynchttpclient;

import io.netty.channel.Channel;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import org.asynchttpclient.AsyncHandler;
import org.asynchttpclient.AsyncHttpClientConfig;
import org.asynchttpclient.Request;
import org.asynchttpclient.netty.NettyResponseFuture;
import org.asynchttpclient.netty.channel.ChannelManager;
import org.asynchttpclient.netty.channel.NettyConnectListener;
import org.asynchttpclient.netty.request.NettyRequestSender;

/** What the library keeps to itself. Thread-safe. */
final class Internals {
    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    /** Null: it was made before the agent was there. */
    Partitioning partitioning(Object future) throws Throwable {
        return (Object) Members.PARTITIONING.invokeExact(future) instanceof Partitioning partitioning ? partitioning : null;
    }

    /** Null: the library is at it by itself. */
    Hop hop(Object future) throws Throwable {
        Partitioning partitioning = partitioning(future);
        return partitioning == null ? null : partitioning.hop();
    }

    Object future(Object connectListener) throws Throwable {
        return (Object) Members.LISTENERS_FUTURE.invokeExact(connectListener);
    }

    AsyncHttpClientConfig config(Object sender) throws Throwable {
        return (AsyncHttpClientConfig) (Object) Members.CONFIG.invokeExact(sender);
    }

    ChannelManager channels(Object sender) throws Throwable {
        return (ChannelManager) (Object) Members.CHANNELS.invokeExact(sender);
    }

    /** Newer versions may speak it to a plaintext URL, if the app wants that. */
    boolean speaksHttp2Unasked(Object sender) throws Throwable {
        return Members.HTTP2_CLEARTEXT != null && (boolean) (Object) Members.HTTP2_CLEARTEXT.invokeExact((Object) channels(sender));
    }

    /** The addresses that newer versions remember of another host. */
    void forgetAddresses(Object future) throws Throwable {
        if (Members.FORGET_ADDRESSES != null) {
            Object ignored = (Object) Members.FORGET_ADDRESSES.invokeExact(future);
        }
    }

    /** @param future null: it makes one */
    NettyResponseFuture<?> newRequest(Object sender, Request request, AsyncHandler<?> handler, NettyResponseFuture<?> future) throws Throwable {
        return (NettyResponseFuture<?>) (Object) Members.NEW_REQUEST.invokeExact(
                sender, (Object) request, (Object) handler, (Object) future, (Object) null, (Object) Boolean.FALSE);
    }

    void scheduleTimeouts(Object sender, NettyResponseFuture<?> future, InetSocketAddress address) throws Throwable {
        Object ignored = (Object) Members.SCHEDULE_TIMEOUTS.invokeExact(sender, (Object) future, (Object) address);
    }

    void sendWithOpenChannel(Object sender, NettyResponseFuture<?> future, AsyncHandler<?> handler, Channel channel) throws Throwable {
        Object ignored = (Object) Members.SEND_WITH_OPEN.invokeExact(sender, (Object) future, (Object) handler, (Object) channel);
    }

    void sendWithNewChannel(Object sender, Request request, NettyResponseFuture<?> future, AsyncHandler<?> handler) throws Throwable {
        Object ignored = (Object) Members.SEND_WITH_NEW.invokeExact(sender, (Object) request, (Object) null, (Object) future, (Object) handler);
    }

    /** Of the connections that the app limits, for one that did not come. */
    void givePermitBack(Object future) throws Throwable {
        Object ignored = (Object) Members.GIVE_PERMIT_BACK.invokeExact(future);
    }

    void noRetry(Object future) throws Throwable {
        Object ignored = (Object) Members.SET_RETRIES.invokeExact(future, (Object) Members.MAX_RETRIES.invokeExact(future));
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final MethodHandle PARTITIONING;
        static final MethodHandle GIVE_PERMIT_BACK;
        static final MethodHandle MAX_RETRIES;
        static final MethodHandle SET_RETRIES;
        /** Null: it has none. */
        static final MethodHandle FORGET_ADDRESSES;
        static final MethodHandle LISTENERS_FUTURE;
        static final MethodHandle CONFIG;
        static final MethodHandle CHANNELS;
        static final MethodHandle NEW_REQUEST;
        static final MethodHandle SCHEDULE_TIMEOUTS;
        static final MethodHandle SEND_WITH_OPEN;
        static final MethodHandle SEND_WITH_NEW;
        /** Null: it never does. */
        static final MethodHandle HTTP2_CLEARTEXT;

        static {
            AdapterContext context = Internals.context;
            try {
                Type future = new Type(context, NettyResponseFuture.class.getName());
                PARTITIONING = future.getter("connectionPoolPartitioning");
                GIVE_PERMIT_BACK = future.method("releasePartitionKeyLock");
                MAX_RETRIES = future.getter("maxRetry");
                SET_RETRIES = future.setter("currentRetry");
                FORGET_ADDRESSES = future.has("clearRoundRobinOverrides") ? future.method("clearRoundRobinOverrides") : null;
                LISTENERS_FUTURE = new Type(context, NettyConnectListener.class.getName()).getter("future");
                Type sender = new Type(context, NettyRequestSender.class.getName());
                CONFIG = sender.getter("config");
                CHANNELS = sender.getter("channelManager");
                NEW_REQUEST = sender.method("newNettyRequestAndResponseFuture");
                SCHEDULE_TIMEOUTS = sender.method("scheduleRequestTimeout");
                SEND_WITH_OPEN = sender.method("sendRequestWithOpenChannel");
                SEND_WITH_NEW = sender.method("sendRequestWithNewChannel");
                Type channels = new Type(context, ChannelManager.class.getName());
                HTTP2_CLEARTEXT = channels.has("isHttp2CleartextEnabled") ? channels.method("isHttp2CleartextEnabled") : null;
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }

    /** Members of one class as handles that take and give objects. */
    private static final class Type {
        private final MethodHandles.Lookup lookup;
        private final Class<?> type;

        Type(AdapterContext context, String className) throws ReflectiveOperationException {
            lookup = context.lookup(className);
            type = lookup.lookupClass();
        }

        boolean has(String method) {
            for (Method candidate : type.getDeclaredMethods()) {
                if (candidate.getName().equals(method)) {
                    return true;
                }
            }
            return false;
        }

        /** The only one of that name. */
        MethodHandle method(String name) throws ReflectiveOperationException {
            for (Method method : type.getDeclaredMethods()) {
                if (method.getName().equals(name) && !method.isBridge() && !method.isSynthetic()) {
                    return generic(lookup.unreflect(method));
                }
            }
            throw new NoSuchMethodException(type.getName() + "." + name);
        }

        MethodHandle getter(String field) throws ReflectiveOperationException {
            return generic(lookup.unreflectGetter(type.getDeclaredField(field)));
        }

        MethodHandle setter(String field) throws ReflectiveOperationException {
            return generic(lookup.unreflectSetter(type.getDeclaredField(field)));
        }

        private static MethodHandle generic(MethodHandle handle) {
            return handle.asType(handle.type().generic());
        }
    }
}
