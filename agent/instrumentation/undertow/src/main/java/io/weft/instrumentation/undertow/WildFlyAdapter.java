package io.weft.instrumentation.undertow;

import io.undertow.server.ListenerRegistry;
import io.undertow.server.ListenerRegistry.Listener;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.net.InetSocketAddress;
import java.util.function.Supplier;
import org.xnio.channels.BoundChannel;

/** The handlers of {@link WildFlyModule}. Thread-safe. */
public final class WildFlyAdapter implements Adapter {
    private final MethodHandle name;
    private final MethodHandle registry;
    private final MethodHandle channel;
    private final MethodHandle tlsChannel;
    private final Class<?> tlsListener;

    public WildFlyAdapter(AdapterContext context) throws ReflectiveOperationException {
        Lookup listener = context.lookup(WildFlyModule.LISTENER);
        Lookup tls = context.lookup(WildFlyModule.TLS_LISTENER);
        tlsListener = tls.lookupClass();
        name = listener.findVirtual(listener.lookupClass(), "getName", MethodType.methodType(String.class))
                .asType(MethodType.methodType(String.class, Object.class));
        registry = field(listener, "httpListenerRegistry", Supplier.class);
        channel = field(listener, "server", BoundChannel.class);
        tlsChannel = field(tls, "sslServer", BoundChannel.class);
    }

    /** @param as what the field's type extends, which this adapter knows */
    private static MethodHandle field(Lookup owner, String name, Class<?> as) throws ReflectiveOperationException {
        MethodHandle getter = owner.unreflectGetter(owner.lookupClass().getDeclaredField(name));
        if (!as.isAssignableFrom(getter.type().returnType())) {
            throw new NoSuchFieldException(owner.lookupClass().getName() + "." + name + " is no " + as.getName());
        }
        return getter.asType(MethodType.methodType(as, Object.class));
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case WildFlyModule.LISTENING -> (Handler.Result) (listener, nothing, a0, a1, a2) -> {
                bound(listener);
                return nothing;
            };
            // Where the agent came after the start, it hears of it here for the first time.
            case WildFlyModule.STOP_LISTENING -> (Handler.Around) (listener, a0, a1, a2, a3) -> {
                bound(listener);
                return Handler.PROCEED;
            };
            default -> throw new IllegalArgumentException(hook);
        };
    }

    private void bound(Object service) throws Throwable {
        BoundChannel server = tlsListener.isInstance(service)
                ? (BoundChannel) tlsChannel.invokeExact(service)
                : (BoundChannel) channel.invokeExact(service);
        Supplier<?> listeners = (Supplier<?>) registry.invokeExact(service);
        Listener listener = ((ListenerRegistry) listeners.get()).getListener((String) name.invokeExact(service));
        if (server == null || listener == null || listener.getBindAddress().getPort() != 0) {
            return;
        }
        InetSocketAddress address = server.getLocalAddress(InetSocketAddress.class);
        if (address != null) {
            listener.setContextInformation(WildFlyModule.BOUND, address);
        }
    }
}
