package io.weft.instrumentation.okhttp;

import java.net.Proxy;
import java.net.ProxySelector;
import java.util.List;
import okhttp3.HttpUrl;

/** Whether the app's own proxies are in charge. */
final class Proxies {
    private static final String JDK_SELECTOR = "sun.net.spi.DefaultProxySelector";
    private static final String NULL_SELECTOR = "okhttp3.internal.proxy.NullProxySelector";

    private Proxies() {}

    static boolean isDirect(ConnectionSettings settings, HttpUrl url) {
        if (settings.proxy() != null) {
            return settings.proxy().type() == Proxy.Type.DIRECT;
        }
        ProxySelector selector = settings.proxySelector();
        String kind = selector.getClass().getName();
        if (kind.equals(NULL_SELECTOR) || kind.equals(JDK_SELECTOR) && !isConfigured()) {
            return true;
        }
        // As the library asks: without what an app may have put into the URL for the server alone.
        HttpUrl host = new HttpUrl.Builder().scheme(url.scheme()).host(url.host()).port(url.port()).build();
        List<Proxy> proxies = selector.select(host.uri());
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
