package io.weft.instrumentation.okhttp;

import io.weft.dataplane.ClientTls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import okhttp3.Dns;

/**
 * Every name leads to one endpoint. The library compares it when it looks for a connection in its pool: two are equal when a connection
 * of one may be used for the other.
 *
 * @param tls null: plaintext
 */
record EndpointDns(InetSocketAddress address, ClientTls tls) implements Dns {

    /** As a resolver would have given it for that name: it is part of the message of a failed connect. */
    @Override
    public List<InetAddress> lookup(String name) throws UnknownHostException {
        boolean literal = name.indexOf(':') >= 0 || Character.digit(name.charAt(name.length() - 1), 10) >= 0;
        return List.of(InetAddress.getByAddress(literal ? null : name, address.getAddress().getAddress()));
    }
}
