package io.weft.instrumentation.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.InboundPorts;
import io.weft.instrumentation.Handler;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whatever an app makes of its pipeline, a request is one to the mesh. */
class Http1HandlerTest {
    private final Agent agent = Agent.start();
    private final InboundPorts ports = agent.dataPlane().inbound();
    private final List<String> asked = new ArrayList<>();
    private final List<Long> inFlight = new ArrayList<>();

    /** As Micronaut has it until it knows that the caller goes on with HTTP/1.1. */
    private static final class Undecided extends SimpleChannelInboundHandler<HttpObject> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
            ChannelPipeline pipeline = ctx.pipeline();
            pipeline.remove(this);
            pipeline.fireChannelRead(ReferenceCountUtil.retain(message));
        }
    }

    private final class App extends SimpleChannelInboundHandler<HttpObject> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
            if (message instanceof HttpRequest request) {
                asked.add(request.uri());
                inFlight.add(ports.inFlight());
            }
            if (message instanceof LastHttpContent) {
                FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, Unpooled.EMPTY_BUFFER);
                response.headers().set(HttpHeaderNames.CONTENT_LENGTH, 0);
                ctx.writeAndFlush(response);
            }
        }
    }

    private Connected accept() throws Throwable {
        Listening listening = new Listening(agent, new Protocols(agent), false);
        listening.bound(new Connected());
        Accepted accepted = new Accepted(listening);
        accepted.begun(ports.accepted(Connected.LOCAL, Connected.REMOTE, false, () -> { }), false);
        Connected channel = new Connected();
        accepted.attachTo(channel);
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addLast("codec", new HttpServerCodec());
        ((Handler.Result) new NettyAdapter(agent).handler(NettyModule.HANDLER_ADDED)).result(pipeline, null, pipeline.context("codec"), null, null);
        pipeline.addLast(new Undecided(), new App());
        return channel;
    }

    private static void ask(Connected channel, String path) {
        channel.writeInbound(Unpooled.copiedBuffer("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", StandardCharsets.US_ASCII));
    }

    @Test
    void aRequestThatComesThroughThePipelineOnceMoreIsOne() throws Throwable {
        Connected channel = accept();

        ask(channel, "/first");
        assertThat(channel.sent()).startsWith("HTTP/1.1 200");
        ask(channel, "/second");

        assertThat(channel.sent()).startsWith("HTTP/1.1 200");
        assertThat(asked).containsExactly("/first", "/second");
        assertThat(inFlight).containsExactly(1L, 1L);
        assertThat(ports.inFlight()).isZero();
    }
}
