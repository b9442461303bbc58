package io.weft.instrumentation.grpc;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ChannelLogger;
import io.grpc.ClientStreamTracer;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.NameResolver;
import io.grpc.SynchronizationContext;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.GrpcUtil;
import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** What the library's channels keep to themselves, and what differs between its versions. Thread-safe. */
final class Internals {
    private static final String INTERNAL = "io.grpc.internal.";
    private static final String CHANNEL = INTERNAL + "ManagedChannelImpl";
    private static final String DNS_RESOLVER = INTERNAL + "DnsNameResolver";

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    private static boolean declaresField(Class<?> type, String name) {
        for (Field declared : type.getDeclaredFields()) {
            if (declared.getName().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean declares(Class<?> type, String method) {
        for (Method declared : type.getDeclaredMethods()) {
            if (declared.getName().equals(method)) {
                return true;
            }
        }
        return false;
    }

    private static Method named(Class<?> type, String name) throws NoSuchMethodException {
        for (Method declared : type.getDeclaredMethods()) {
            if (declared.getName().equals(name)) {
                return declared;
            }
        }
        throw new NoSuchMethodException(type.getName() + "." + name);
    }

    private static MethodHandle method(MethodHandles.Lookup lookup, String name) throws ReflectiveOperationException {
        return generic(lookup.unreflect(named(lookup.lookupClass(), name)));
    }

    private static MethodHandle getter(MethodHandles.Lookup lookup, String field) throws ReflectiveOperationException {
        return generic(lookup.unreflectGetter(lookup.lookupClass().getDeclaredField(field)));
    }

    /** Of the object that an inner class belongs to, whatever the compiler calls it. */
    private static MethodHandle outer(MethodHandles.Lookup lookup, Class<?> type) throws ReflectiveOperationException {
        for (Field field : lookup.lookupClass().getDeclaredFields()) {
            if (field.getType() == type && field.isSynthetic()) {
                return generic(lookup.unreflectGetter(field));
            }
        }
        throw new NoSuchFieldException(lookup.lookupClass().getName() + " belongs to no channel");
    }

    private static MethodHandle generic(MethodHandle handle) {
        return handle.asType(handle.type().generic());
    }

    /** Whether a delayed transport sees every stream of its channel, and not only those that have to wait. */
    boolean picksInDelayedTransport() {
        return Members.PICKS_IN_DELAYED_TRANSPORT;
    }

    /** @return null: it belongs to no channel of the app's */
    ManagedChannel channelOf(Object asking) throws Throwable {
        if (!Members.PICKS_IN_DELAYED_TRANSPORT) {
            return (ManagedChannel) (Object) Members.CHANNEL_OF_PROVIDER.invokeExact(asking);
        }
        Object listener = (Object) Members.DELAYED_LISTENER.invokeExact(asking);
        return Members.DELAYED_LISTENER_TYPE.isInstance(listener) ? (ManagedChannel) (Object) Members.CHANNEL_OF_LISTENER.invokeExact(listener) : null;
    }

    ClientTransportFactory transportFactory(ManagedChannel channel) throws Throwable {
        return (ClientTransportFactory) (Object) Members.TRANSPORT_FACTORY.invokeExact((Object) channel);
    }

    /** Also by one of a further load balancer's, which looks for more than addresses. */
    boolean resolvesByDns(ManagedChannel channel) throws Throwable {
        Object resolver = (Object) Members.NAME_RESOLVER.invokeExact((Object) channel);
        while (resolver != null) {
            for (Class<?> type = resolver.getClass(); type != null; type = type.getSuperclass()) {
                if (type.getName().equals(DNS_RESOLVER)) {
                    return true;
                }
            }
            resolver = Wrapped.by(resolver, NameResolver.class);
        }
        return false;
    }

    /** Whether the app's own proxy is in charge. */
    boolean hasProxy(ManagedChannel channel) throws Throwable {
        NameResolver.Args args = (NameResolver.Args) (Object) Members.NAME_RESOLVER_ARGS.invokeExact((Object) channel);
        URI target = GrpcUtil.authorityToUri(channel.authority());
        int port = target.getPort() == -1 ? args.getDefaultPort() : target.getPort();
        if (target.getHost() == null) {
            return false;
        }
        try {
            return args.getProxyDetector().proxyFor(InetSocketAddress.createUnresolved(target.getHost(), port)) != null;
        } catch (IOException appsDetectorFailed) {
            // It will again where the app sees it.
            return true;
        }
    }

    /** In which the library changes a channel's state. */
    SynchronizationContext turns(ManagedChannel channel) throws Throwable {
        return (SynchronizationContext) (Object) Members.TURNS.invokeExact((Object) channel);
    }

    ChannelLogger logger(ManagedChannel channel) throws Throwable {
        return (ChannelLogger) (Object) Members.LOGGER.invokeExact((Object) channel);
    }

    /** The app's own part of it; null: there is none. */
    String userAgent(ManagedChannel channel) throws Throwable {
        return (String) (Object) Members.USER_AGENT.invokeExact((Object) channel);
    }

    /** Below 0: never. */
    long idleMillis(ManagedChannel channel) throws Throwable {
        return (Long) (Object) Members.IDLE_MILLIS.invokeExact((Object) channel);
    }

    /** In the channel's turns; else it may not be true any more. */
    boolean hasLoadBalancer(ManagedChannel channel) throws Throwable {
        return (Object) Members.LOAD_BALANCER.invokeExact((Object) channel) != null;
    }

    /** In the channel's turns. */
    boolean isShutdownNow(ManagedChannel channel) throws Throwable {
        return (Boolean) (Object) Members.SHUTDOWN_NOW.invokeExact((Object) channel);
    }

    /** In the channel's turns. */
    void maybeTerminate(ManagedChannel channel) throws Throwable {
        Object ignored = (Object) Members.MAYBE_TERMINATE.invokeExact((Object) channel);
    }

    /** What the library does when nobody has told it a service config: the app's own counts. In the channel's turns. */
    void useDefaultServiceConfig(ManagedChannel channel) throws Throwable {
        Object calls = (Object) Members.REAL_CHANNEL.invokeExact((Object) channel);
        AtomicReference<?> selector = (AtomicReference<?>) (Object) Members.CONFIG_SELECTOR.invokeExact(calls);
        if (selector.get() == Members.PENDING_SELECTOR) {
            Object config = (Object) Members.DEFAULT_CONFIG.invokeExact((Object) channel);
            Object own = config == null ? null : (Object) Members.SELECTOR_OF_CONFIG.invokeExact(config);
            Object ignored = (Object) Members.USE_SELECTOR.invokeExact(calls, own);
        }
    }

    /** In the channel's turns. */
    void show(ManagedChannel channel, ConnectivityState state) throws Throwable {
        Object ignored = (Object) Members.GOTO_STATE.invokeExact((Object) Members.STATES.invokeExact((Object) channel), (Object) state);
    }

    /** What the app's own filters of transports make of the attributes of one that is ready. */
    Attributes filterReady(ManagedChannel channel, Attributes attributes) throws Throwable {
        Attributes filtered = attributes;
        for (Object filter : filters(channel)) {
            filtered = (Attributes) (Object) Members.FILTER_READY.invokeExact(filter, (Object) filtered);
        }
        return filtered;
    }

    void filterTerminated(ManagedChannel channel, Attributes attributes) throws Throwable {
        for (Object filter : filters(channel)) {
            Object ignored = (Object) Members.FILTER_TERMINATED.invokeExact(filter, (Object) attributes);
        }
    }

    private List<?> filters(ManagedChannel channel) throws Throwable {
        return Members.FILTERS == null ? List.of() : (List<?>) (Object) Members.FILTERS.invokeExact((Object) channel);
    }

    /** @param previousAttempts of the same call */
    ClientStreamTracer[] tracers(CallOptions options, Metadata headers, int previousAttempts) throws Throwable {
        Object made = Members.TRACERS_KNOW_HEDGES
                ? (Object) Members.TRACERS.invokeExact(
                        (Object) options, (Object) headers, (Object) previousAttempts, (Object) Boolean.FALSE, (Object) Boolean.FALSE)
                : (Object) Members.TRACERS.invokeExact((Object) options, (Object) headers, (Object) previousAttempts, (Object) Boolean.FALSE);
        return (ClientStreamTracer[]) made;
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final boolean PICKS_IN_DELAYED_TRANSPORT;
        static final MethodHandle CHANNEL_OF_PROVIDER;
        static final MethodHandle DELAYED_LISTENER;
        static final MethodHandle CHANNEL_OF_LISTENER;
        static final Class<?> DELAYED_LISTENER_TYPE;

        static final MethodHandle TRANSPORT_FACTORY;
        static final MethodHandle NAME_RESOLVER;
        static final MethodHandle NAME_RESOLVER_ARGS;
        static final MethodHandle TURNS;
        static final MethodHandle LOGGER;
        static final MethodHandle USER_AGENT;
        static final MethodHandle IDLE_MILLIS;
        static final MethodHandle LOAD_BALANCER;
        static final MethodHandle SHUTDOWN_NOW;
        static final MethodHandle MAYBE_TERMINATE;

        static final MethodHandle REAL_CHANNEL;
        static final MethodHandle CONFIG_SELECTOR;
        static final Object PENDING_SELECTOR;
        static final MethodHandle USE_SELECTOR;
        static final MethodHandle DEFAULT_CONFIG;
        static final MethodHandle SELECTOR_OF_CONFIG;
        static final MethodHandle STATES;
        static final MethodHandle GOTO_STATE;

        /** Null, as are the next two: there are no such filters before 1.62. */
        static final MethodHandle FILTERS;
        static final MethodHandle FILTER_READY;
        static final MethodHandle FILTER_TERMINATED;

        static final MethodHandle TRACERS;

        /** From 1.77 on they are told of hedges, too. */
        static final boolean TRACERS_KNOW_HEDGES;

        static {
            AdapterContext context = Internals.context;
            try {
                MethodHandles.Lookup channel = context.lookup(CHANNEL);
                Class<?> channelType = channel.lookupClass();
                MethodHandles.Lookup provider = context.lookup(CHANNEL + "$ChannelStreamProvider");
                PICKS_IN_DELAYED_TRANSPORT = !declares(provider.lookupClass(), "getTransport");
                CHANNEL_OF_PROVIDER = outer(provider, channelType);
                DELAYED_LISTENER = getter(context.lookup(INTERNAL + "DelayedClientTransport"), "listener");
                MethodHandles.Lookup listener = context.lookup(CHANNEL + "$DelayedTransportListener");
                CHANNEL_OF_LISTENER = outer(listener, channelType);
                DELAYED_LISTENER_TYPE = listener.lookupClass();

                TRANSPORT_FACTORY = getter(channel, "transportFactory");
                NAME_RESOLVER = getter(channel, "nameResolver");
                NAME_RESOLVER_ARGS = getter(channel, "nameResolverArgs");
                TURNS = getter(channel, "syncContext");
                LOGGER = getter(channel, "channelLogger");
                USER_AGENT = getter(channel, "userAgent");
                IDLE_MILLIS = getter(channel, "idleTimeoutMillis");
                LOAD_BALANCER = getter(channel, "lbHelper");
                SHUTDOWN_NOW = getter(channel, "shutdownNowed");
                MAYBE_TERMINATE = method(channel, "maybeTerminateChannel");

                REAL_CHANNEL = getter(channel, "realChannel");
                MethodHandles.Lookup calls = context.lookup(CHANNEL + "$RealChannel");
                CONFIG_SELECTOR = getter(calls, "configSelector");
                Field pending = channelType.getDeclaredField("INITIAL_PENDING_SELECTOR");
                pending.setAccessible(true);
                PENDING_SELECTOR = pending.get(null);
                USE_SELECTOR = method(calls, "updateConfigSelector");
                DEFAULT_CONFIG = getter(channel, "defaultServiceConfig");
                SELECTOR_OF_CONFIG = method(context.lookup(INTERNAL + "ManagedChannelServiceConfig"), "getDefaultConfigSelector");
                STATES = getter(channel, "channelStateManager");
                GOTO_STATE = method(context.lookup(INTERNAL + "ConnectivityStateManager"), "gotoState");

                if (declaresField(channelType, "transportFilters")) {
                    FILTERS = getter(channel, "transportFilters");
                    MethodHandles.Lookup filter = context.lookup("io.grpc.ClientTransportFilter");
                    FILTER_READY = method(filter, "transportReady");
                    FILTER_TERMINATED = method(filter, "transportTerminated");
                } else {
                    FILTERS = null;
                    FILTER_READY = null;
                    FILTER_TERMINATED = null;
                }

                Method newTracers = named(GrpcUtil.class, "getClientStreamTracers");
                TRACERS = generic(MethodHandles.publicLookup().unreflect(newTracers));
                TRACERS_KNOW_HEDGES = newTracers.getParameterCount() > 4;
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
