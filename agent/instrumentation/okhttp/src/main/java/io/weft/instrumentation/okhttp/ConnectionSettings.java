package io.weft.instrumentation.okhttp;

import java.net.Proxy;
import java.net.ProxySelector;
import javax.net.SocketFactory;
import okhttp3.Authenticator;
import okhttp3.OkHttpClient;

/**
 * How the app wants the connections of a hop. The library's {@code Address} has it, too, but to make one costs more than all else that the
 * mesh does for a request: there is one for each attempt, as there would be without the mesh.
 *
 * @param proxy null: the selector says
 * @param client of which are the settings that are the same for all hops
 */
record ConnectionSettings(
        Proxy proxy, ProxySelector proxySelector, SocketFactory socketFactory, Authenticator proxyAuthenticator, OkHttpClient client) {

    static ConnectionSettings of(OkHttpClient client) {
        return new ConnectionSettings(
                client.proxy(), client.proxySelector(), client.socketFactory(), client.proxyAuthenticator(), client);
    }
}
