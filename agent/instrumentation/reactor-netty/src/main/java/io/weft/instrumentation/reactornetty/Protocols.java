package io.weft.instrumentation.reactornetty;

import reactor.netty.http.HttpProtocol;
import reactor.netty.http.client.HttpClientConfig;

/** Which HTTP an app lets its client speak. */
final class Protocols {
    private Protocols() {}

    static boolean includeHttp11(HttpClientConfig config) {
        for (HttpProtocol protocol : config.protocols()) {
            if (protocol == HttpProtocol.HTTP11) {
                return true;
            }
        }
        return false;
    }

    static boolean areHttp11Alone(HttpClientConfig config) {
        return config.protocols().length == 1 && config.protocols()[0] == HttpProtocol.HTTP11;
    }
}
