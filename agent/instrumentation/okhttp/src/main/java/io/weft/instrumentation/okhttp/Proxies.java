package io.weft.instrumentation.okhttp;

import java.net.Proxy;
import java.net.ProxySelector;
import java.util.List;
import okhttp3.HttpUrl;

/** Whether the app's own proxies are in charge. */
final class Proxies {
    /** Null: the JDK has another, which is asked as an app's is. */
    private static final Class<?> JDK_SELECTOR = jdkSelector();
    /** As the JDK's selector does, it is looked at once. */
    private static final boolean SYSTEM_PROXIES = Boolean.getBoolean("java.net.useSystemProxies");
    private static final String NULL_SELECTOR = "okhttp3.internal.proxy.NullProxySelector";

    private Proxies() {}

    static boolean isDirect(ConnectionSettings settings, HttpUrl url) {
        if (settings.proxy() != null) {
            return settings.proxy().type() == Proxy.Type.DIRECT;
        }
        ProxySelector selector = settings.proxySelector();
        Class<?> kind = selector.getClass();
        if (kind == JDK_SELECTOR ? !SYSTEM_PROXIES && !isConfigured() : kind.getName().equals(NULL_SELECTOR)) {
            return true;
        }
        // As the library asks: without what an app may have put into the URL for the server alone.
        HttpUrl host = new HttpUrl.Builder().scheme(url.scheme()).host(url.host()).port(url.port()).build();
        List<Proxy> proxies = selector.select(host.uri());
        return proxies == null || proxies.isEmpty() || proxies.get(0).type() == Proxy.Type.DIRECT;
    }

    private static Class<?> jdkSelector() {
        try {
            return Class.forName("sun.net.spi.DefaultProxySelector", false, null);
        } catch (ClassNotFoundException otherJdk) {
            return null;
        }
    }

    /** Without any of these the JDK's selector selects none, and to ask it would cost every request. */
    private static boolean isConfigured() {
        return System.getProperty("http.proxyHost") != null
                || System.getProperty("proxyHost") != null
                || System.getProperty("socksProxyHost") != null;
    }
}
