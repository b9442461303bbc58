package io.weft.instrumentation.jettyclientbefore12;

import java.util.Map;
import javax.net.ssl.SSLEngine;
import org.eclipse.jetty.client.HttpDestination;
import org.eclipse.jetty.io.ClientConnectionFactory;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;

/**
 * Connections to one endpoint, with mesh TLS below what the library speaks over them.
 *
 * @param above what the library would make without
 */
record SecuredConnections(EndpointKey endpoint, ClientConnectionFactory above) implements ClientConnectionFactory {
    @Override
    public Connection newConnection(EndPoint socket, Map<String, Object> context) {
        DialContext dial = new DialContext(context);
        HttpDestination destination = dial.destination();
        SSLEngine engine = endpoint.tls().engine(endpoint.address());
        MeshConnection secured = new MeshConnection(destination.getHttpClient(), socket, engine);
        secured.getDecryptedEndPoint().setConnection(new Handshake(destination.getHttpClient(), secured, endpoint, above, dial));
        return secured;
    }
}
