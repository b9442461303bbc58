package io.weft.instrumentation.okhttp;

import java.net.Proxy;
import java.net.ProxySelector;
import java.util.List;
import okhttp3.Address;

/** Whether the app's own proxies are in charge. */
final class Proxies {
    private static final String JDK_SELECTOR = "sun.net.spi.DefaultProxySelector";
    private static final String NULL_SELECTOR = "okhttp3.internal.proxy.NullProxySelector";

    private Proxies() {}

    static boolean isDirect(Address address) {
        if (address.proxy() != null) {
            return address.proxy().type() == Proxy.Type.DIRECT;
        }
        ProxySelector selector = address.proxySelector();
        String kind = selector.getClass().getName();
        if (kind.equals(NULL_SELECTOR) || kind.equals(JDK_SELECTOR) && !isConfigured()) {
            return true;
        }
        List<Proxy> proxies = selector.select(address.url().uri());
        return proxies == null || proxies.isEmpty() || proxies.get(0).type() == Proxy.Type.DIRECT;
    }

    /** Without any of these the JDK's selector selects none, and to ask it would cost every request. */
    private static boolean isConfigured() {
        return System.getProperty("http.proxyHost") != null
                || System.getProperty("proxyHost") != null
                || System.getProperty("socksProxyHost") != null
                || Boolean.getBoolean("java.net.useSystemProxies");
    }
}
