package io.weft.policy.xds;

import com.google.protobuf.CodedOutputStream;
import io.netty.channel.EventLoop;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import io.weft.policy.xds.GrpcStatus.Code;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;

/**
 * Says to kuma-cp that nobody can be called at a data plane any more, by Envoy's health discovery service, as the Envoy beside an app that is
 * ill does: callers hear of it within two seconds, while what a data plane that goes leaves behind is in their lists for ten. Where kuma-cp has
 * no such service, nothing comes of it. Confined to the event loop.
 */
final class DataplaneHealth implements GrpcStreamListener {
    private static final String PATH = "/envoy.service.health.v3.HealthDiscoveryService/StreamHealthCheck";
    /** By that kuma-cp knows the health of the proxy itself, and so of all of its ports. */
    private static final String PROXY = "kuma:envoy:admin";
    private static final int UNHEALTHY = 2;
    private static final int PATIENCE_SECONDS = 5;

    private final Node node;
    private GrpcStream call;

    private DataplaneHealth(Node node) {
        this.node = node;
    }

    /** @param node of which only the id is told: as who it has registered is known */
    static void end(Node node, GrpcConnector connector, EventLoop loop) {
        DataplaneHealth health = new DataplaneHealth(Node.newBuilder().setId(node.getId()).build());
        health.call = connector.open(PATH, health);
        loop.schedule(() -> health.call.cancel(new GrpcStatus(Code.DEADLINE_EXCEEDED, "no end")), PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void opened(SocketAddress local) {
        call.send(message(out -> out.writeByteArray(1, message(request -> request.writeMessage(1, node)))));
        call.send(message(out -> out.writeByteArray(2, message(response ->
                response.writeByteArray(2, message(cluster -> {
                    cluster.writeString(1, PROXY);
                    cluster.writeByteArray(2, message(locality -> locality.writeByteArray(2, message(endpoint ->
                            endpoint.writeEnum(2, UNHEALTHY)))));
                }))))));
        call.halfClose();
    }

    @Override
    public void message(byte[] checks) {
        // Whoever ends has nothing to check.
    }

    @Override
    public void closed(GrpcStatus status) {
        // Callers then hear of it when the data plane is gone, as without this.
    }

    private interface Writing {
        void to(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            writing.to(out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
