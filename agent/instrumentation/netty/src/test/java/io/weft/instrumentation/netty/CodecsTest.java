package io.weft.instrumentation.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.CombinedChannelDuplexHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpServerCodec;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.Outbound;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whatever an app puts behind its codec, and whatever codec that is, the mesh looks at a request before. */
class CodecsTest {
    private final NettyAdapter adapter = new NettyAdapter(new Context());

    private record Context() implements AdapterContext {
        @Override
        public Outbound outbound() {
            throw new AssertionError("nothing goes out");
        }

        @Override
        public Inbound inbound() {
            throw new AssertionError("nothing comes in");
        }

        @Override
        public ClassLoader library() {
            return CodecsTest.class.getClassLoader();
        }

        @Override
        public MethodHandles.Lookup lookup(String className) throws ReflectiveOperationException {
            return MethodHandles.privateLookupIn(Class.forName(className), MethodHandles.lookup());
        }

        @Override
        public void wake(String hook) {
            throw new AssertionError(hook);
        }

        @Override
        public boolean late() {
            return false;
        }

        @Override
        public void warn(String message) {
            throw new AssertionError(message);
        }
    }

    /** As Armeria has it. */
    private static final class OwnCodec extends CombinedChannelDuplexHandler<HttpRequestDecoder, HttpResponseEncoder> {
        OwnCodec() {
            super(new HttpRequestDecoder(), new HttpResponseEncoder());
        }
    }

    private static ChannelPipeline accepted() {
        EmbeddedChannel channel = new EmbeddedChannel();
        new Accepted(null).attachTo(channel);
        return channel.pipeline();
    }

    /** As woven into the pipeline. */
    private void addAfter(ChannelPipeline pipeline, String base, String name, ChannelHandler handler) throws Throwable {
        Object result = ((Handler.Around) adapter.handler(NettyModule.ADD_AFTER)).around(pipeline, null, base, name, handler);
        if (result == Handler.PROCEED) {
            pipeline.addAfter(base, name, handler);
        } else {
            assertThat(result).isSameAs(pipeline);
        }
    }

    private void added(ChannelPipeline pipeline, String name) throws Throwable {
        ((Handler.Result) adapter.handler(NettyModule.HANDLER_ADDED)).result(pipeline, null, pipeline.context(name), null, null);
    }

    private static List<String> kinds(ChannelPipeline pipeline) {
        List<String> kinds = new ArrayList<>();
        for (String name : pipeline.names()) {
            ChannelHandlerContext context = pipeline.context(name);
            if (context != null) {
                kinds.add(context.handler().getClass().getSimpleName());
            }
        }
        return kinds;
    }

    private static final class Apps extends ChannelInboundHandlerAdapter {}

    @Test
    void nothingComesBetweenACodecAndTheMesh() throws Throwable {
        ChannelPipeline pipeline = accepted();
        pipeline.addLast("codec", new HttpServerCodec());
        added(pipeline, "codec");

        addAfter(pipeline, "codec", "upgrade", new Apps());
        addAfter(pipeline, "upgrade", "decoder", new Apps());

        assertThat(kinds(pipeline)).containsExactly("HttpServerCodec", "Http1Handler", "Apps", "Apps");
        assertThat(pipeline.names()).containsSubsequence("codec", "upgrade", "decoder");
    }

    @Test
    void aCodecOfTheAppsOwnIsOne() throws Throwable {
        ChannelPipeline pipeline = accepted();
        pipeline.addLast("codec", new OwnCodec());
        added(pipeline, "codec");

        addAfter(pipeline, "codec", "upgrade", new Apps());

        assertThat(kinds(pipeline)).containsExactly("OwnCodec", "Http1Handler", "Apps");
    }

    @Test
    void whatIsNoCodecIsFollowedByWhatTheAppSays() throws Throwable {
        ChannelPipeline pipeline = accepted();
        pipeline.addLast("first", new Apps());
        added(pipeline, "first");

        addAfter(pipeline, "first", "second", new Apps());

        assertThat(pipeline.names()).containsSubsequence("first", "second");
        assertThat(kinds(pipeline)).containsExactly("Apps", "Apps");
    }
}
