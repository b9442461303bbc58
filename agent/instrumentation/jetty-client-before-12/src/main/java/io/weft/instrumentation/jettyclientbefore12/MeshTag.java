package io.weft.instrumentation.jettyclientbefore12;

import java.util.Objects;
import org.eclipse.jetty.io.ClientConnectionFactory;

/**
 * The tag of an attempt's request: by it the client keeps destinations apart, and a destination makes its connections.
 *
 * @param apps that of the app's request; null: none
 */
record MeshTag(EndpointKey endpoint, Object apps) implements ClientConnectionFactory.Decorator {
    /** Spelled out, as hashCode is: JDK 17 keeps the record that it compared last, and what the one is made of that it hashed last. */
    @Override
    public boolean equals(Object other) {
        return other instanceof MeshTag that && endpoint == that.endpoint && Objects.equals(apps, that.apps);
    }

    @Override
    public int hashCode() {
        return 31 * endpoint.hashCode() + Objects.hashCode(apps);
    }

    @Override
    public ClientConnectionFactory apply(ClientConnectionFactory factory) {
        ClientConnectionFactory decorated = apps instanceof ClientConnectionFactory.Decorator own ? own.apply(factory) : factory;
        return endpoint.tls() == null ? decorated : new SecuredConnections(endpoint, decorated);
    }
}
