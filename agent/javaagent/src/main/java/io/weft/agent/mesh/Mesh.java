package io.weft.agent.mesh;

import io.weft.agent.link.DataPlane;
import io.weft.agent.settings.Settings;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.Outbound;
import java.net.InetSocketAddress;

/** The mesh in this JVM: policy in, decisions for the adapters out. */
public final class Mesh implements DataPlane {
    private final Settings settings;

    public Mesh(Settings settings) {
        this.settings = settings;
    }

    @Override
    public Outbound outbound() {
        return new Outbound() {
            @Override
            public boolean claims(Exchange exchange) {
                return false;
            }

            @Override
            public Endpoint pick(String scheme, String authority, String method, String path) {
                return null;
            }
        };
    }

    @Override
    public Inbound inbound() {
        return (library, address, tls) -> new Inbound.Port() {
            @Override
            public void requestStarted() {}

            @Override
            public void requestEnded() {}

            @Override
            public boolean draining() {
                return false;
            }

            @Override
            public void close() {}
        };
    }
}
