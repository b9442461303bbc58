package io.weft.instrumentation.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Rejection;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Source;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TransportSocket;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What passes in which direction, before and after it is known what a connection is. */
class GateTest {
    private static final TransportSocket PLAINTEXT = new TransportSocket.Plaintext();
    private static final TransportSocket TLS = new TransportSocket.DownstreamTls(
            new TlsContext(
                    new TlsContext.Parameters(TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_3, List.of()),
                    List.of(), Optional.of(new TlsContext.NamedCertificate("identity")), new TlsContext.NoValidation()),
            true);

    private final Agent context = Agent.start();
    private final DataPlane dataPlane = context.dataPlane();
    private final List<String> seen = new ArrayList<>();

    /** A server that speaks first. */
    private final class Greeting extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            seen.add("active");
            ctx.writeAndFlush(bytes("welcome "));
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf read = (ByteBuf) message;
            seen.add(read.toString(StandardCharsets.US_ASCII));
            ctx.writeAndFlush(read);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            seen.add("inactive");
        }
    }

    private Connected accept() {
        Protocols protocols = new Protocols(context);
        Listening listening = new Listening(context, protocols, false);
        return new Connected(new Gate(context, protocols, listening, new Accepted(listening)), new Greeting());
    }

    private void apply(FilterChain... chains) {
        Listener listener = new Listener("inbound", Listener.Kind.INBOUND, new HostPort("10.0.0.1", 8080), List.of(chains));
        dataPlane.apply(new PolicySnapshot(1, Map.of("inbound", listener), Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of()));
    }

    private static FilterChain chain(String transport, TransportSocket socket) {
        FilterChainMatch match = new FilterChainMatch(0, List.of(), List.of(), transport, List.of(), Source.ANY);
        return new FilterChain("", match, socket, List.of(), new HttpConnectionManager(
                "inbound", new HttpConnectionManager.Opaque(), List.of(), HttpConnectionManager.Edge.NONE, HttpConnectionManager.StreamLimits.NONE));
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
    }

    @Test
    void whereNothingIsSaidNothingIsHeldBack() {
        Connected channel = accept();
        assertThat(channel.sent()).isEqualTo("welcome ");
        channel.writeInbound(bytes("hello"));
        assertThat(channel.sent()).isEqualTo("hello");
        assertThat(channel.pipeline().get(Gate.class)).isNull();
        assertThat(seen).containsExactly("active", "hello");
    }

    @Test
    void whatTheAppSaysFirstWaitsForTheFirstByte() {
        apply(chain("raw_buffer", PLAINTEXT), chain("tls", TLS));
        Connected channel = accept();
        assertThat(channel.sent()).isEmpty();
        channel.writeInbound(bytes("h"));
        assertThat(channel.sent()).isEqualTo("welcome h");
        channel.writeInbound(bytes("ello"));
        assertThat(channel.sent()).isEqualTo("ello");
        assertThat(seen).containsExactly("active", "h", "ello");
    }

    @Test
    void inPlaintextNobodyGetsInWhereTlsIsDemandedNorHearsAnything() {
        apply(chain("", TLS));
        Connected channel = accept();
        channel.writeInbound(bytes("hello"));
        assertThat(channel.isOpen()).isFalse();
        assertThat(channel.sent()).isEmpty();
        assertThat(seen).containsExactly("active", "inactive");
        assertThat(dataPlane.inbound().rejections(Rejection.PLAINTEXT)).isEqualTo(1);
    }

    @Test
    void anAppThatTakesTheGateAwayLosesTheConnection() {
        apply(chain("", TLS));
        Connected channel = accept();
        channel.pipeline().remove(Gate.class);
        assertThat(channel.isOpen()).isFalse();
        assertThatThrownBy(() -> channel.writeOutbound(bytes("secret"))).isInstanceOf(ClosedChannelException.class);
        assertThat(channel.sent()).isEmpty();
    }

    @Test
    void whoeverHearsOfItFirstSendsNothingPastTheGateThatWasTakenAway() {
        apply(chain("", TLS));
        Connected channel = accept();
        channel.write(bytes("held back")).addListener(failed -> channel.writeAndFlush(bytes("secret")));
        channel.pipeline().remove(Gate.class);
        assertThat(channel.sent()).isEmpty();
    }
}
