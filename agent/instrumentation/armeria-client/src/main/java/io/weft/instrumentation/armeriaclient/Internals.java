package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.Endpoint;
import com.linecorp.armeria.client.HttpClient;
import com.linecorp.armeria.client.proxy.ProxyConfig;
import com.linecorp.armeria.client.proxy.ProxyConfigSelector;
import com.linecorp.armeria.common.SessionProtocol;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;

/** What the library keeps to itself. Thread-safe. */
final class Internals {
    static final ProxyConfigSelector NO_PROXY = ProxyConfigSelector.of(ProxyConfig.direct());

    private static final String CLIENT = "com.linecorp.armeria.client.";

    /** Read once, by {@link Handles}. */
    private static volatile AdapterContext context;

    private final Schedulers schedulers;

    /** True until the library asks how to reach an endpoint of the mesh's. It is never removed: each request would pay for an entry anew. */
    private final ThreadLocal<Boolean> direct = new ThreadLocal<>();

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Handles.class);
        schedulers = Schedulers.of(context);
    }

    Schedulers schedulers() {
        return schedulers;
    }

    Object factory(HttpClient delegate) throws Throwable {
        return (Object) Handles.FACTORY.invokeExact((Object) delegate);
    }

    /** That the app wants. */
    ProxyConfig proxy(HttpClient delegate, SessionProtocol protocol, Endpoint endpoint) throws Throwable {
        return ((ProxyConfigSelector) Handles.PROXIES.invokeExact(factory(delegate))).select(protocol, endpoint);
    }

    /** Of what is asked next. What the library calls later may be the app's code, whose own requests go as it wants. */
    boolean goesDirectly() {
        boolean does = Boolean.TRUE.equals(direct.get());
        if (does) {
            direct.set(Boolean.FALSE);
        }
        return does;
    }

    void goDirectly(boolean on) {
        direct.set(on ? Boolean.TRUE : Boolean.FALSE);
    }

    /** As those of {@link Schedulers}. */
    private static final class Handles {
        static final MethodHandle FACTORY;
        static final MethodHandle PROXIES;

        static {
            AdapterContext context = Internals.context;
            try {
                Lookup ofFactory = context.lookup(CLIENT + "HttpClientFactory");
                PROXIES = ofFactory.findVirtual(ofFactory.lookupClass(), "proxyConfigSelector", MethodType.methodType(ProxyConfigSelector.class))
                        .asType(MethodType.methodType(ProxyConfigSelector.class, Object.class));
                Lookup ofDelegate = context.lookup(CLIENT + "HttpClientDelegate");
                FACTORY = ofDelegate.findGetter(ofDelegate.lookupClass(), "factory", ofFactory.lookupClass())
                        .asType(MethodType.methodType(Object.class, Object.class));
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
