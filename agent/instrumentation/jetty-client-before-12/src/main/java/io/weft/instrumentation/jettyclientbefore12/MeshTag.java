package io.weft.instrumentation.jettyclientbefore12;

import org.eclipse.jetty.io.ClientConnectionFactory;

/**
 * The tag of an attempt's request: by it the client keeps destinations apart, and a destination makes its connections.
 *
 * @param apps that of the app's request; null: none
 */
record MeshTag(EndpointKey endpoint, Object apps) implements ClientConnectionFactory.Decorator {
    @Override
    public ClientConnectionFactory apply(ClientConnectionFactory factory) {
        ClientConnectionFactory decorated = apps instanceof ClientConnectionFactory.Decorator own ? own.apply(factory) : factory;
        return endpoint.tls() == null ? decorated : new SecuredConnections(endpoint, decorated);
    }
}
